import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { notFound, type NodeKey } from '../../kernel/global-id.ts';
import type { RestorePointId, TenantId } from '../../kernel/ids.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { mapConnection, type Connection } from '../../platform/paging/connection.ts';
import { Pager } from '../../platform/paging/pager.ts';
import { RestorePointDiskRow } from './restore-point-disk.entity.ts';
import { RestorePointRow } from './restore-point.entity.ts';
import type { ListRestorePointsArgs } from './restore-point.input.ts';
import type { RestorePointWithDisks } from './restore-point.view.ts';

const NEWEST = [
  { column: 'point.taken_at', type: 'timestamptz' },
  { column: 'point.id', type: 'uuid' },
] as const;

@Injectable()
export class RestorePointService {
  constructor(
    private readonly scope: TenantScope,
    private readonly db: TenantDb,
    private readonly pager: Pager,
  ) {}

  async getRestorePoint(key: NodeKey): Promise<RestorePointWithDisks> {
    return await this.db.run(async (em) => {
      const point = await getRestorePointRow(em, key);
      const disks = await disksOf(em, [point]);
      return { point, disks: disks.get(point.id) ?? [] };
    });
  }

  /** The restore points of one tenant, newest first. */
  async listRestorePoints({
    tenantId,
    vmId,
    vaultId,
    ...page
  }: ListRestorePointsArgs): Promise<Connection<RestorePointWithDisks>> {
    const tenant = this.scope.tenantOr(tenantId);
    return await this.db.within(tenant, async (em) => {
      const query = em.createQueryBuilder(RestorePointRow, 'point').where('point.tenant_id = :tenantId', tenant);
      if (vmId !== undefined) {
        query.andWhere('point.vm_id = :vmId', { vmId: vmId.id });
      }
      if (vaultId !== undefined) {
        query.andWhere('point.vault_id = :vaultId', { vaultId: vaultId.id });
      }
      const list = ['restore-points', tenant.tenantId, vmId?.id ?? '', vaultId?.id ?? '', 'newest'].join('|');
      const points = await this.pager.page(query, { list, sort: NEWEST, direction: 'DESC' }, page);
      const disks = await disksOf(
        em,
        points.edges.map(({ node }) => node),
      );
      return mapConnection(points, (point) => ({ point, disks: disks.get(point.id) ?? [] }));
    });
  }
}

/** Throws NOT_FOUND where the actor can't see it. */
export async function getRestorePointRow(
  em: EntityManager,
  { tenantId, id }: Pick<NodeKey, 'tenantId' | 'id'>,
): Promise<RestorePointRow> {
  const row = await em.findOneBy(RestorePointRow, { tenantId: tenantId as TenantId, id: id as RestorePointId });
  if (row === null) {
    throw notFound('RestorePoint');
  }
  return row;
}

async function disksOf(
  em: EntityManager,
  points: readonly RestorePointRow[],
): Promise<Map<RestorePointId, RestorePointDiskRow[]>> {
  const first = points[0];
  if (first === undefined) {
    return new Map();
  }
  const rows = await em
    .createQueryBuilder(RestorePointDiskRow, 'disk')
    .where('disk.tenant_id = :tenantId and disk.restore_point_id in (:...ids)', {
      tenantId: first.tenantId,
      ids: points.map(({ id }) => id),
    })
    .orderBy('disk.position')
    .getMany();
  return Map.groupBy(rows, (row) => row.restorePointId);
}

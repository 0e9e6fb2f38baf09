import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { notFound, type NodeKey } from '../../kernel/global-id.ts';
import type { PoolVmId } from '../../kernel/ids.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import type { Connection } from '../../platform/paging/connection.ts';
import { Pager } from '../../platform/paging/pager.ts';
import { PoolService } from '../pools/pool.service.ts';
import { PoolVmRow } from './pool-vm.entity.ts';
import type { ListPoolVmsArgs } from './pool-vm.input.ts';

/** Who has the guest at the moment, and as which VM. */
export interface PoolVmHolder {
  readonly tenantId: string;
  readonly vmId: string;
}

export interface PoolVmWithHolder {
  readonly row: PoolVmRow;
  readonly holder: PoolVmHolder | null;
}

/** The pool owner's view of the guests in its pools. */
@Injectable()
export class PoolVmService {
  constructor(
    private readonly db: TenantDb,
    private readonly pager: Pager,
    private readonly pools: PoolService,
  ) {}

  async getPoolVm(key: NodeKey): Promise<PoolVmWithHolder> {
    return await this.db.run(async (em) => {
      const row = await em.findOneBy(PoolVmRow, {
        tenantId: key.tenantId as PoolVmRow['tenantId'],
        id: key.id as PoolVmId,
      });
      if (row === null) {
        throw notFound('PoolVm');
      }
      const holders = await findHolders(em, key.tenantId, [row]);
      return { row, holder: holders.get(row.id) ?? null };
    });
  }

  /** The guests of one pool, by name. */
  async listPoolVms(pool: NodeKey, args: ListPoolVmsArgs): Promise<Connection<PoolVmWithHolder>> {
    const { includeGone = false, ...page } = args;
    const { tenantId, id } = pool;
    return await this.db.run(async (em) => {
      await this.pools.getPool(pool);
      const query = em.createQueryBuilder(PoolVmRow, 'guest').where('guest.tenant_id = :tenantId', { tenantId });
      query.andWhere('guest.pool_id = :id', { id });
      if (!includeGone) {
        query.andWhere('guest.gone_at is null');
      }
      const sort = [
        { column: 'guest.name', type: 'text' },
        { column: 'guest.id', type: 'uuid' },
      ] as const;
      const list = `pool-vms|${tenantId}|${id}|${includeGone}|name`;
      const found = await this.pager.page(query, { list, sort, direction: 'ASC' }, page);
      const holders = await findHolders(
        em,
        tenantId,
        found.edges.map(({ node }) => node),
      );
      return {
        pageInfo: found.pageInfo,
        edges: found.edges.map(({ cursor, node }) => ({
          cursor,
          node: { row: node, holder: holders.get(node.id) ?? null },
        })),
      };
    });
  }
}

async function findHolders(
  em: EntityManager,
  ownerId: string,
  guests: readonly PoolVmRow[],
): Promise<ReadonlyMap<string, PoolVmHolder>> {
  const rows: { pool_vm_id: string; tenant_id: string; vm_id: string }[] = await em.query(
    'select pool_vm_id, tenant_id, vm_id from app.pool_vm_holders($1, $2)',
    [ownerId, guests.map(({ id }) => id)],
  );
  return new Map(rows.map((row) => [row.pool_vm_id, { tenantId: row.tenant_id, vmId: row.vm_id }]));
}

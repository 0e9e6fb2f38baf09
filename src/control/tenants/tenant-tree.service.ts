import { Injectable } from '@nestjs/common';
import { notFound, type NodeKey } from '../../kernel/global-id.ts';
import type { TenantId } from '../../kernel/ids.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import type { EntityManager } from 'typeorm';
import type { Connection } from '../../platform/paging/connection.ts';
import { Pager } from '../../platform/paging/pager.ts';
import { TenantRow } from './tenant.entity.ts';
import type { ListTenantsArgs } from './tenant.input.ts';

/** Reading the tenant tree, from the actor's own tenant down. */
@Injectable()
export class TenantTreeService {
  constructor(
    private readonly scope: TenantScope,
    private readonly db: TenantDb,
    private readonly pager: Pager,
  ) {}

  async getTenant(key: NodeKey): Promise<TenantRow> {
    return await this.db.run(async (em) => await getTenant(em, key));
  }

  /** The tenants directly below one, by name. */
  async listTenants({ parentId, ...page }: ListTenantsArgs): Promise<Connection<TenantRow>> {
    const parent = this.scope.tenantOr(parentId);
    return await this.db.within(parent, async (em) => {
      const query = em.createQueryBuilder(TenantRow, 'tenant').where('tenant.parent_id = :tenantId', parent);
      const sort = [
        { column: 'lower(tenant.name)', type: 'text' },
        { column: 'tenant.id', type: 'uuid' },
      ] as const;
      return await this.pager.page(query, { list: `tenants|${parent.tenantId}|name`, sort, direction: 'ASC' }, page);
    });
  }
}

/** Whether a tenant runs the installation: what the service's own machines can reach is its alone to name. */
export async function isProvider(em: EntityManager, tenantId: string): Promise<boolean> {
  return (await getTenant(em, { type: 'Tenant', tenantId, id: tenantId })).kind === 'PROVIDER';
}

export async function getTenant(em: EntityManager, { tenantId, id }: NodeKey): Promise<TenantRow> {
  const row = await em.findOneBy(TenantRow, { id: id as TenantId, tenantId: tenantId as TenantId });
  if (row === null) {
    throw notFound('Tenant');
  }
  return row;
}

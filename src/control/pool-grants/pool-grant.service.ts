import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { notFound, type NodeKey } from '../../kernel/global-id.ts';
import type { PoolGrantId } from '../../kernel/ids.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { isAbove } from '../../platform/database/is-above.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { checkVersion, updateVersioned } from '../../platform/database/versioned-update.ts';
import { Mutations } from '../../platform/mutations/mutations.ts';
import { newId } from '../../platform/new-id.ts';
import type { Connection } from '../../platform/paging/connection.ts';
import { Pager } from '../../platform/paging/pager.ts';
import { type PoolRow, PoolService } from '../pools/pool.service.ts';
import { findPlaces } from './find-places.ts';
import { PoolGrantRow } from './pool-grant.entity.ts';
import { grantFromAboveOnly } from './pool-grant.errors.ts';
import type { GrantPoolInput, ListPoolGrantsArgs, RevokePoolGrantInput } from './pool-grant.input.ts';

@Injectable()
export class PoolGrantService {
  constructor(
    private readonly scope: TenantScope,
    private readonly db: TenantDb,
    private readonly mutations: Mutations,
    private readonly pager: Pager,
    private readonly pools: PoolService,
  ) {}

  async getPoolGrant(key: NodeKey): Promise<PoolGrantRow> {
    return await this.db.run(async (em) => await getRow(em, key));
  }

  /** The pool grants that one tenant holds, newest first. */
  async listPoolGrants({ tenantId, ...page }: ListPoolGrantsArgs): Promise<Connection<PoolGrantRow>> {
    const tenant = this.scope.tenantOr(tenantId);
    return await this.db.within(tenant, async (em) => {
      const query = em.createQueryBuilder(PoolGrantRow, 'held').where('held.tenant_id = :tenantId', tenant);
      const sort = [
        { column: 'held.created_at', type: 'timestamptz' },
        { column: 'held.id', type: 'uuid' },
      ] as const;
      const list = `pool-grants|${tenant.tenantId}|newest`;
      return await this.pager.page(query, { list, sort, direction: 'DESC' }, page);
    });
  }

  async grantPool(input: GrantPoolInput): Promise<PoolGrantRow> {
    const { tenantId: holder, poolId, name } = input;
    return await this.mutations.run({
      name: 'grantPool',
      target: holder,
      input,
      work: async (em) => {
        await this.#mustBeAbove(em, holder);
        const pool = await this.pools.getPool(poolId);
        await ownerMustBeAbove(em, pool, holder);
        const places = await findPlaces(em, pool, input);
        const subject: NodeKey = { type: 'PoolGrant', tenantId: holder.tenantId, id: newId<PoolGrantId>() };
        await em.insert(PoolGrantRow, {
          ...toIds(subject),
          poolOwnerId: pool.tenantId,
          poolId: pool.id,
          name,
          ...places,
        });
        const value = await getRow(em, subject);
        return { value, subject, event: 'pool_grant.created', data: { name }, detail: { ...places } };
      },
      replay: async (em, id) => await getRow(em, { ...holder, id }),
    });
  }

  /** Revoking what is revoked changes nothing but the version. */
  async revokePoolGrant(input: RevokePoolGrantInput): Promise<PoolGrantRow> {
    const { poolGrantId, expectedVersion } = input;
    return await this.mutations.run({
      name: 'revokePoolGrant',
      target: poolGrantId,
      input,
      work: async (em) => {
        const row = await getRow(em, poolGrantId);
        await this.#mustBeAbove(em, poolGrantId);
        checkVersion(row, expectedVersion);
        const value = await updateVersioned(em, PoolGrantRow, row, { revokedAt: row.revokedAt ?? new Date() });
        return { value, subject: poolGrantId, event: 'pool_grant.revoked', data: { name: row.name } };
      },
      replay: async (em, id) => await getRow(em, { ...poolGrantId, id }),
    });
  }

  /** The wall behind it is the table's policy; here it gets words. */
  async #mustBeAbove(em: EntityManager, holder: NodeKey): Promise<void> {
    if (!(await isAbove(em, this.scope.current().tenantId, holder.tenantId))) {
      throw grantFromAboveOnly();
    }
  }
}

/** Somebody else's pool is none that the holder could be granted. */
async function ownerMustBeAbove(em: EntityManager, pool: PoolRow, holder: NodeKey): Promise<void> {
  if (!(await isAbove(em, pool.tenantId, holder.tenantId))) {
    throw notFound('Pool');
  }
}

async function getRow(em: EntityManager, key: Pick<NodeKey, 'tenantId' | 'id'>): Promise<PoolGrantRow> {
  const row = await em.findOneBy(PoolGrantRow, toIds(key));
  if (row === null) {
    throw notFound('PoolGrant');
  }
  return row;
}

function toIds({ tenantId, id }: Pick<NodeKey, 'tenantId' | 'id'>): Pick<PoolGrantRow, 'tenantId' | 'id'> {
  return { tenantId: tenantId as PoolGrantRow['tenantId'], id: id as PoolGrantId };
}

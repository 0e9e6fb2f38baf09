import type { EntityManager } from 'typeorm';
import { notFound, type NodeKey, type NodeType } from '../../kernel/global-id.ts';
import type { PoolRow } from '../pools/pool.service.ts';
import type { GrantPoolInput } from './pool-grant.input.ts';

/** The SRs and networks that a grant names, without doubles; NOT_FOUND where one isn't in the pool. */
export async function findPlaces(
  em: EntityManager,
  pool: PoolRow,
  { storageRepositoryIds, networkIds }: Pick<GrantPoolInput, 'storageRepositoryIds' | 'networkIds'>,
): Promise<{ srIds: string[]; networkIds: string[] }> {
  return {
    srIds: await findAll(em, pool, { type: 'StorageRepository', table: 'pool_sr' }, storageRepositoryIds),
    networkIds: await findAll(em, pool, { type: 'Network', table: 'pool_network' }, networkIds),
  };
}

async function findAll(
  em: EntityManager,
  pool: PoolRow,
  { type, table }: { readonly type: NodeType; readonly table: 'pool_sr' | 'pool_network' },
  keys: readonly NodeKey[],
): Promise<string[]> {
  const wanted = new Set(keys.map(({ id }) => id));
  const rows: { id: string }[] = await em.query(
    `select id from app.${table} where tenant_id = $1 and pool_id = $2 and id = any ($3) and gone_at is null`,
    [pool.tenantId, pool.id, [...wanted]],
  );
  if (rows.length !== wanted.size || keys.some(({ tenantId }) => tenantId !== pool.tenantId)) {
    throw notFound(type);
  }
  return [...wanted];
}

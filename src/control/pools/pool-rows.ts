import { IsNull, Not, type EntityManager } from 'typeorm';
import { notFound, type NodeKey } from '../../kernel/global-id.ts';
import type { PoolId } from '../../kernel/ids.ts';
import { PoolRow } from './pool.entity.ts';

export async function getPoolRow(em: EntityManager, key: Pick<NodeKey, 'tenantId' | 'id'>): Promise<PoolRow> {
  const row = await em.findOneBy(PoolRow, toPoolIds(key));
  if (row === null) {
    throw notFound('Pool');
  }
  return row;
}

/** Another pool of the same tenant that is the same one in XenServer, or was reached at the same address. */
export async function findTwin(
  em: EntityManager,
  { tenantId, id }: Pick<PoolRow, 'tenantId' | 'id'>,
  same: { readonly xenUuid: string } | { readonly url: string },
): Promise<PoolRow | null> {
  return await em.findOneBy(PoolRow, { tenantId, id: Not(id), xenUuid: Not(IsNull()), ...same });
}

export function toPoolIds({ tenantId, id }: Pick<NodeKey, 'tenantId' | 'id'>): Pick<PoolRow, 'tenantId' | 'id'> {
  return { tenantId: tenantId as PoolRow['tenantId'], id: id as PoolId };
}

import { z } from 'zod';
import { toGlobalId } from '../../kernel/global-id.ts';
import { defineView, idView } from '../../platform/wire/view.ts';
import type { PoolGrantRow } from './pool-grant.entity.ts';

export const poolGrantView = defineView('PoolGrant', {
  id: idView('PoolGrant'),
  tenantId: idView('Tenant'),
  poolId: idView('Pool'),
  name: z.string(),
  storageRepositoryIds: z.array(idView('StorageRepository')),
  networkIds: z.array(idView('Network')),
  revokedAt: z.date().nullable(),
  createdAt: z.date(),
  updatedAt: z.date(),
  version: z.int(),
});
export type PoolGrantView = z.infer<typeof poolGrantView>;

export function toPoolGrantView(row: PoolGrantRow): PoolGrantView {
  const { tenantId, poolOwnerId, srIds, networkIds, ...shown } = row;
  return {
    __typename: 'PoolGrant',
    ...shown,
    id: toGlobalId('PoolGrant', tenantId, row.id),
    tenantId: toGlobalId('Tenant', tenantId, tenantId),
    poolId: toGlobalId('Pool', poolOwnerId, row.poolId),
    storageRepositoryIds: srIds.map((id) => toGlobalId('StorageRepository', poolOwnerId, id)),
    networkIds: networkIds.map((id) => toGlobalId('Network', poolOwnerId, id)),
  };
}

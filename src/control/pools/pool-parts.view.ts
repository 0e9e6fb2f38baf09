import { z } from 'zod';
import { toGlobalId } from '../../kernel/global-id.ts';
import { bigIntView, defineView, idView } from '../../platform/wire/view.ts';
import type { PoolHostRow } from './pool-host.entity.ts';
import type { PoolNetworkRow } from './pool-network.entity.ts';
import type { PoolSrRow } from './pool-sr.entity.ts';

export const hostView = defineView('Host', {
  id: idView('Host'),
  xenUuid: z.string(),
  name: z.string(),
  address: z.string(),
  goneAt: z.date().nullable(),
});
export type HostView = z.infer<typeof hostView>;

export const storageRepositoryView = defineView('StorageRepository', {
  id: idView('StorageRepository'),
  xenUuid: z.string(),
  name: z.string(),
  type: z.string(),
  shared: z.boolean(),
  sizeBytes: bigIntView,
  usedBytes: bigIntView,
  tracksChanges: z.boolean(),
  goneAt: z.date().nullable(),
});
export type StorageRepositoryView = z.infer<typeof storageRepositoryView>;

export const networkView = defineView('Network', {
  id: idView('Network'),
  xenUuid: z.string(),
  name: z.string(),
  bridge: z.string(),
  purposes: z.array(z.string()),
  goneAt: z.date().nullable(),
});
export type NetworkView = z.infer<typeof networkView>;

export function toHostView({ tenantId, id, xenUuid, name, address, goneAt }: PoolHostRow): HostView {
  return { __typename: 'Host', id: toGlobalId('Host', tenantId, id), xenUuid, name, address, goneAt };
}

export function toStorageRepositoryView(row: PoolSrRow): StorageRepositoryView {
  const { tenantId, poolId: _, ...shown } = row;
  return { __typename: 'StorageRepository', ...shown, id: toGlobalId('StorageRepository', tenantId, row.id) };
}

export function toNetworkView({ tenantId, id, xenUuid, name, bridge, purposes, goneAt }: PoolNetworkRow): NetworkView {
  return { __typename: 'Network', id: toGlobalId('Network', tenantId, id), xenUuid, name, bridge, purposes, goneAt };
}

import { z } from 'zod';
import { type NodeType, toGlobalId } from '../../kernel/global-id.ts';
import { defineView, idView } from '../../platform/wire/view.ts';
import type { Place, Placement } from './placement.service.ts';

const storageRepository = z.object({ id: idView('StorageRepository'), name: z.string(), xenUuid: z.string() });
const network = z.object({ id: idView('Network'), name: z.string(), xenUuid: z.string() });

export const placementView = defineView('Placement', {
  poolId: idView('Pool'),
  poolName: z.string(),
  poolGrantId: idView('PoolGrant').nullable(),
  storageRepositories: z.array(storageRepository),
  networks: z.array(network),
});
export type PlacementView = z.infer<typeof placementView>;

export function toPlacementView(placement: Placement): PlacementView {
  const { poolOwnerId, poolId, poolName, holder, storageRepositories, networks } = placement;
  const toPlace = (type: NodeType) => (place: Place) => ({ ...place, id: toGlobalId(type, poolOwnerId, place.id) });
  return {
    __typename: 'Placement',
    poolId: toGlobalId('Pool', poolOwnerId, poolId),
    poolName,
    poolGrantId: holder === null ? null : toGlobalId('PoolGrant', holder.tenantId, holder.grantId),
    storageRepositories: storageRepositories.map(toPlace('StorageRepository')),
    networks: networks.map(toPlace('Network')),
  };
}

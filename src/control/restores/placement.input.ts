import { z } from 'zod';
import { globalId, optional } from '../../platform/wire/fields.ts';

const networkUuid = z
  .string()
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'give the network’s UUID in lower case');

export const networkRule = z.strictObject({
  fromNetworkUuid: optional(networkUuid),
  toNetworkId: optional(globalId('Network')),
});

/** Where a VM's parts go: shared by restores and replication plans. */
export const placementFields = {
  poolId: globalId('Pool'),
  poolGrantId: optional(globalId('PoolGrant')),
  storageRepositoryId: globalId('StorageRepository'),
  networks: z.array(networkRule).max(100),
};

const placement = z.strictObject(placementFields);
export type PlacementInput = z.infer<typeof placement>;

import { z } from 'zod';
import { listArgs, listQuery } from '../../platform/paging/page-args.ts';
import {
  expectedVersionField,
  globalId,
  idempotencyKeyField,
  nameField,
  optional,
} from '../../platform/wire/fields.ts';

const ofTenant = { tenantId: optional(globalId('Tenant')) };
export const placementsArgs = z.strictObject(ofTenant);
export type PlacementsArgs = z.infer<typeof placementsArgs>;

export const listPoolGrantsArgs = listArgs(ofTenant);
export const listPoolGrantsQuery = listQuery(ofTenant);
export type ListPoolGrantsArgs = z.infer<typeof listPoolGrantsArgs>;

export const grantPoolBody = z.strictObject({
  tenantId: globalId('Tenant'),
  poolId: globalId('Pool'),
  name: nameField,
  storageRepositoryIds: z.array(globalId('StorageRepository')).min(1).max(100),
  networkIds: z.array(globalId('Network')).max(100),
});
export type GrantPoolBody = z.infer<typeof grantPoolBody>;
export const grantPoolInput = grantPoolBody.extend({ idempotencyKey: idempotencyKeyField });
export type GrantPoolInput = z.infer<typeof grantPoolInput>;

export const revokePoolGrantInput = z.strictObject({
  poolGrantId: globalId('PoolGrant'),
  expectedVersion: optional(expectedVersionField),
  idempotencyKey: optional(idempotencyKeyField),
});
export type RevokePoolGrantInput = z.infer<typeof revokePoolGrantInput>;

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
export const listStorageGrantsArgs = listArgs(ofTenant);
export const listStorageGrantsQuery = listQuery(ofTenant);
export type ListStorageGrantsArgs = z.infer<typeof listStorageGrantsArgs>;

const MAX_BIGINT = 2n ** 63n - 1n;
/** `bigint` from GraphQL, decimal text or a safe number from REST. */
const quotaField = z
  .union([z.bigint(), z.int(), z.string().regex(/^\d{1,19}$/)])
  .transform((value) => BigInt(value))
  .pipe(z.bigint().min(1n).max(MAX_BIGINT));

export const grantStorageBody = z.strictObject({
  tenantId: globalId('Tenant'),
  storageTargetId: globalId('StorageTarget'),
  name: nameField,
  quotaBytes: optional(quotaField),
});
export type GrantStorageBody = z.infer<typeof grantStorageBody>;
export const grantStorageInput = grantStorageBody.extend({ idempotencyKey: idempotencyKeyField });
export type GrantStorageInput = z.infer<typeof grantStorageInput>;

export const revokeStorageGrantInput = z.strictObject({
  storageGrantId: globalId('StorageGrant'),
  expectedVersion: optional(expectedVersionField),
  idempotencyKey: optional(idempotencyKeyField),
});
export type RevokeStorageGrantInput = z.infer<typeof revokeStorageGrantInput>;

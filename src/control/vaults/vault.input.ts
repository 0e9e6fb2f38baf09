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
export const listVaultsArgs = listArgs(ofTenant);
export const listVaultsQuery = listQuery(ofTenant);
export type ListVaultsArgs = z.infer<typeof listVaultsArgs>;

const createVaultFields = z.strictObject({
  ...ofTenant,
  name: nameField,
  storageTargetId: optional(globalId('StorageTarget')),
  storageGrantId: optional(globalId('StorageGrant')),
});
const oneStorage = {
  check: (input: { storageTargetId?: unknown; storageGrantId?: unknown }) =>
    (input.storageTargetId === undefined) !== (input.storageGrantId === undefined),
  message: 'give exactly one of storageTargetId and storageGrantId',
};

export const createVaultBody = createVaultFields.refine(oneStorage.check, oneStorage.message);
export type CreateVaultBody = z.infer<typeof createVaultBody>;
export const createVaultInput = createVaultFields
  .extend({ idempotencyKey: idempotencyKeyField })
  .refine(oneStorage.check, oneStorage.message);
export type CreateVaultInput = z.infer<typeof createVaultInput>;

export const retryVaultCreationInput = z.strictObject({
  vaultId: globalId('Vault'),
  expectedVersion: optional(expectedVersionField),
  idempotencyKey: idempotencyKeyField,
});
export type RetryVaultCreationInput = z.infer<typeof retryVaultCreationInput>;

export const renameVaultBody = z.strictObject({ name: nameField });
export type RenameVaultBody = z.infer<typeof renameVaultBody>;
export const renameVaultInput = renameVaultBody.extend({
  vaultId: globalId('Vault'),
  expectedVersion: optional(expectedVersionField),
  idempotencyKey: optional(idempotencyKeyField),
});
export type RenameVaultInput = z.infer<typeof renameVaultInput>;

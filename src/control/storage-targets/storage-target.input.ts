import { z } from 'zod';
import { listArgs, listQuery } from '../../platform/paging/page-args.ts';
import {
  expectedVersionField,
  globalId,
  idempotencyKeyField,
  nameField,
  optional,
} from '../../platform/wire/fields.ts';
import { storagePathField } from './storage-path.ts';

const ofTenant = { tenantId: optional(globalId('Tenant')) };
export const listStorageTargetsArgs = listArgs(ofTenant);
export const listStorageTargetsQuery = listQuery(ofTenant);
export type ListStorageTargetsArgs = z.infer<typeof listStorageTargetsArgs>;

export const createStorageTargetBody = z.strictObject({
  ...ofTenant,
  name: nameField,
  kind: z.literal('DIRECTORY'),
  path: storagePathField,
});
export type CreateStorageTargetBody = z.infer<typeof createStorageTargetBody>;
export const createStorageTargetInput = createStorageTargetBody.extend({ idempotencyKey: idempotencyKeyField });
export type CreateStorageTargetInput = z.infer<typeof createStorageTargetInput>;

const aChange = { storageTargetId: globalId('StorageTarget'), expectedVersion: optional(expectedVersionField) };

export const renameStorageTargetBody = z.strictObject({ name: nameField });
export type RenameStorageTargetBody = z.infer<typeof renameStorageTargetBody>;
export const renameStorageTargetInput = renameStorageTargetBody.extend({
  ...aChange,
  idempotencyKey: optional(idempotencyKeyField),
});
export type RenameStorageTargetInput = z.infer<typeof renameStorageTargetInput>;

export const deleteStorageTargetInput = z.strictObject({ ...aChange, idempotencyKey: idempotencyKeyField });
export type DeleteStorageTargetInput = z.infer<typeof deleteStorageTargetInput>;

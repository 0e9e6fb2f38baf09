import { z } from 'zod';
import { listArgs, listQuery } from '../../platform/paging/page-args.ts';
import {
  expectedVersionField,
  globalId,
  idempotencyKeyField,
  nameField,
  optional,
} from '../../platform/wire/fields.ts';

export const listTenantsArgs = listArgs({ parentId: optional(globalId('Tenant')) });
export const listTenantsQuery = listQuery({ parentId: optional(globalId('Tenant')) });
export type ListTenantsArgs = z.infer<typeof listTenantsArgs>;

export const childrenArgs = listArgs({});
export type ChildrenArgs = z.infer<typeof childrenArgs>;

export const createTenantBody = z.strictObject({
  parentId: optional(globalId('Tenant')),
  kind: z.enum(['PARTNER', 'CUSTOMER']),
  name: nameField,
});
export type CreateTenantBody = z.infer<typeof createTenantBody>;
export const createTenantInput = createTenantBody.extend({ idempotencyKey: idempotencyKeyField });
export type CreateTenantInput = z.infer<typeof createTenantInput>;

const changed = {
  tenantId: globalId('Tenant'),
  expectedVersion: optional(expectedVersionField),
  idempotencyKey: optional(idempotencyKeyField),
};

export const renameTenantBody = z.strictObject({ name: nameField });
export type RenameTenantBody = z.infer<typeof renameTenantBody>;
export const renameTenantInput = renameTenantBody.extend(changed);
export type RenameTenantInput = z.infer<typeof renameTenantInput>;

export const suspendTenantBody = z.strictObject({ billable: optional(z.boolean()) });
export type SuspendTenantBody = z.infer<typeof suspendTenantBody>;
export const suspendTenantInput = suspendTenantBody.extend(changed);
export type SuspendTenantInput = z.infer<typeof suspendTenantInput>;

export const resumeTenantInput = z.strictObject(changed);
export type ResumeTenantInput = z.infer<typeof resumeTenantInput>;

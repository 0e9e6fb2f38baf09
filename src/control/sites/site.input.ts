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
export const listSitesArgs = listArgs(ofTenant);
export const listSitesQuery = listQuery(ofTenant);
export type ListSitesArgs = z.infer<typeof listSitesArgs>;

export const createSiteBody = z.strictObject({
  tenantId: optional(globalId('Tenant')),
  name: nameField,
});

export type CreateSiteBody = z.infer<typeof createSiteBody>;

export const createSiteInput = createSiteBody.extend({ idempotencyKey: idempotencyKeyField });
export type CreateSiteInput = z.infer<typeof createSiteInput>;

export const updateSiteBody = z.strictObject({ name: nameField });

export type UpdateSiteBody = z.infer<typeof updateSiteBody>;

export const updateSiteInput = updateSiteBody.extend({
  siteId: globalId('Site'),
  expectedVersion: optional(expectedVersionField),
  idempotencyKey: optional(idempotencyKeyField),
});
export type UpdateSiteInput = z.infer<typeof updateSiteInput>;

export const deleteSiteInput = z.strictObject({
  siteId: globalId('Site'),
  expectedVersion: optional(expectedVersionField),
  idempotencyKey: idempotencyKeyField,
});
export type DeleteSiteInput = z.infer<typeof deleteSiteInput>;

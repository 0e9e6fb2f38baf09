import { z } from 'zod';
import { listArgs, listQuery } from '../../platform/paging/page-args.ts';
import {
  expectedVersionField,
  globalId,
  idempotencyKeyField,
  nameField,
  optional,
} from '../../platform/wire/fields.ts';
import { fingerprintField, poolAddressField } from './pool-address.ts';

const ofTenant = { tenantId: optional(globalId('Tenant')) };
export const listPoolsArgs = listArgs(ofTenant);
export const listPoolsQuery = listQuery(ofTenant);
export type ListPoolsArgs = z.infer<typeof listPoolsArgs>;

export const partsArgs = listArgs({});
export const partsQuery = listQuery({});
export type PartsArgs = z.infer<typeof partsArgs>;

const usernameField = z.string().min(1).max(200);
const passwordField = z.string().min(1).max(1000);

export const registerPoolBody = z.strictObject({
  siteId: globalId('Site'),
  name: nameField,
  url: poolAddressField,
  username: usernameField,
  password: passwordField,
});
export type RegisterPoolBody = z.infer<typeof registerPoolBody>;
export const registerPoolInput = registerPoolBody.extend({ idempotencyKey: idempotencyKeyField });
export type RegisterPoolInput = z.infer<typeof registerPoolInput>;

const aChange = { poolId: globalId('Pool'), expectedVersion: optional(expectedVersionField) };

export const updatePoolBody = z.strictObject({
  name: optional(nameField),
  url: optional(poolAddressField),
  username: optional(usernameField),
  password: optional(passwordField),
});
export type UpdatePoolBody = z.infer<typeof updatePoolBody>;
export const updatePoolInput = updatePoolBody.extend({ ...aChange, idempotencyKey: optional(idempotencyKeyField) });
export type UpdatePoolInput = z.infer<typeof updatePoolInput>;

export const acceptPoolCertificatesBody = z.strictObject({
  certificates: z
    .array(z.strictObject({ address: z.string().trim().min(1).max(255), sha256: fingerprintField }))
    .min(1)
    .max(64),
});
export type AcceptPoolCertificatesBody = z.infer<typeof acceptPoolCertificatesBody>;
export const acceptPoolCertificatesInput = acceptPoolCertificatesBody.extend({
  ...aChange,
  idempotencyKey: optional(idempotencyKeyField),
});
export type AcceptPoolCertificatesInput = z.infer<typeof acceptPoolCertificatesInput>;

export const refreshPoolInput = z.strictObject({ poolId: globalId('Pool'), idempotencyKey: idempotencyKeyField });
export type RefreshPoolInput = z.infer<typeof refreshPoolInput>;

export const deletePoolInput = z.strictObject({ ...aChange, idempotencyKey: idempotencyKeyField });
export type DeletePoolInput = z.infer<typeof deletePoolInput>;

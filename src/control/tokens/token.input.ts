import { z } from 'zod';
import { isScope } from '../../platform/auth/permissions.ts';
import { listArgs, listQuery } from '../../platform/paging/page-args.ts';
import {
  expectedVersionField,
  globalId,
  idempotencyKeyField,
  nameField,
  optional,
} from '../../platform/wire/fields.ts';

const ofTenant = { tenantId: optional(globalId('Tenant')) };
export const listTokensArgs = listArgs(ofTenant);
export const listTokensQuery = listQuery(ofTenant);
export type ListTokensArgs = z.infer<typeof listTokensArgs>;

const network = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], { error: 'not an address or network' });
/** GraphQL has parsed its DateTime already; REST sends text. */
const moment = z.union([z.date(), z.iso.datetime({ offset: true }).transform((text) => new Date(text))]);

export const createTokenBody = z.strictObject({
  ...ofTenant,
  name: nameField,
  scopes: z.array(z.string().refine(isScope, 'not a permission or role')).min(1).max(50),
  reach: optional(z.enum(['SELF', 'SUBTREE'])),
  allowedAddresses: optional(z.array(network).max(100)),
  expiresAt: optional(moment),
});
export type CreateTokenBody = z.infer<typeof createTokenBody>;
export const createTokenInput = createTokenBody.extend({ idempotencyKey: idempotencyKeyField });
export type CreateTokenInput = z.infer<typeof createTokenInput>;

const WEEK_S = 604_800;

export const rotateTokenBody = z.strictObject({ overlapSeconds: optional(z.int().min(0).max(WEEK_S)) });
export type RotateTokenBody = z.infer<typeof rotateTokenBody>;
const changed = {
  tokenId: globalId('ApiToken'),
  expectedVersion: optional(expectedVersionField),
  idempotencyKey: idempotencyKeyField,
};
export const rotateTokenInput = rotateTokenBody.extend(changed);
export type RotateTokenInput = z.infer<typeof rotateTokenInput>;
export const revokeTokenInput = z.strictObject(changed);
export type RevokeTokenInput = z.infer<typeof revokeTokenInput>;

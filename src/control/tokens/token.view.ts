import { z } from 'zod';
import { toGlobalId } from '../../kernel/global-id.ts';
import { defineView, idView } from '../../platform/wire/view.ts';
import type { ApiTokenRow } from './token.entity.ts';

export const tokenView = defineView('ApiToken', {
  id: idView('ApiToken'),
  tenantId: idView('Tenant'),
  name: z.string(),
  scopes: z.array(z.string()),
  reach: z.enum(['SELF', 'SUBTREE']),
  allowedAddresses: z.array(z.string()),
  createdAt: z.date(),
  expiresAt: z.date(),
  revokedAt: z.date().nullable(),
  lastUsedAt: z.date().nullable(),
  previousSecretExpiresAt: z.date().nullable(),
  version: z.int(),
});

export type TokenView = z.infer<typeof tokenView>;

export function toTokenView(row: ApiTokenRow): TokenView {
  return {
    __typename: 'ApiToken',
    id: toGlobalId('ApiToken', row.tenantId, row.id),
    tenantId: toGlobalId('Tenant', row.tenantId, row.tenantId),
    name: row.name,
    scopes: row.scopes,
    reach: row.reach,
    allowedAddresses: row.allowedAddresses,
    createdAt: row.createdAt,
    expiresAt: row.expiresAt,
    revokedAt: row.revokedAt,
    lastUsedAt: row.lastUsedAt,
    previousSecretExpiresAt: row.previousSecretExpiresAt,
    version: row.version,
  };
}

/** A token together with its secret, which is there the first time only. */
export const tokenWithSecretView = z.object({ token: tokenView, secret: z.string().nullable() });

export type TokenWithSecretView = z.infer<typeof tokenWithSecretView>;

export interface TokenWithSecret {
  readonly row: ApiTokenRow;
  readonly secret: string | null;
}

export function toTokenWithSecretView({ row, secret }: TokenWithSecret): TokenWithSecretView {
  return { token: toTokenView(row), secret };
}

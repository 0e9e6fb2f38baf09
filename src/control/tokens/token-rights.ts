import type { EntityManager } from 'typeorm';
import type { Actor, Reach } from '../../platform/auth/actor.ts';
import { expandScopes } from '../../platform/auth/permissions.ts';
import { expiryOutOfRange, scopeExceeded } from './token.errors.ts';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 90;
const MOST_DAYS = 366;

/** A token never has more than what made it. */
export function requireOwnRights(actor: Actor, scopes: readonly string[], reach: Reach): void {
  for (const permission of expandScopes(scopes)) {
    if (!actor.permissions.has(permission)) {
      throw scopeExceeded(`the permission ${permission}`, 'scopes');
    }
  }
  if (reach === 'SUBTREE' && actor.reach !== 'SUBTREE') {
    throw scopeExceeded('the reach SUBTREE', 'reach');
  }
}

/** A token that is good from some networks only makes none that is good from others. */
export async function requireOwnNetworks(em: EntityManager, actor: Actor, wanted: readonly string[]): Promise<void> {
  const rows: { wider: boolean }[] = await em.query(
    `select cardinality(own.allowed_addresses) > 0
        and (cardinality($3::cidr[]) = 0
          or exists (select from unnest($3::cidr[]) w where not w <<= any (own.allowed_addresses))) as wider
     from app.api_token own where own.tenant_id = $1 and own.id = $2`,
    [actor.tenantId, actor.tokenId, wanted],
  );
  if (rows[0]?.wider === true) {
    throw scopeExceeded('all of these networks', 'allowedAddresses');
  }
}

export function expiryOf(wanted: Date | undefined, now: number): Date {
  const expiry = wanted ?? new Date(now + DEFAULT_DAYS * DAY_MS);
  if (expiry.getTime() <= now || expiry.getTime() > now + MOST_DAYS * DAY_MS) {
    throw expiryOutOfRange();
  }
  return expiry;
}

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

export function expiryOf(wanted: Date | undefined, now: number): Date {
  const expiry = wanted ?? new Date(now + DEFAULT_DAYS * DAY_MS);
  if (expiry.getTime() <= now || expiry.getTime() > now + MOST_DAYS * DAY_MS) {
    throw expiryOutOfRange();
  }
  return expiry;
}

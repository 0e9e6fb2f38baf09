import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { AddressPolicy } from './address-policy.ts';

/** One address of a receiver, judged; the connection goes to exactly this one. */
export interface Target {
  readonly address: string;
  readonly family: 4 | 6;
}

export type Resolve = (hostname: string) => Promise<readonly Target[]>;

/** Thrown before anything is sent. */
export class TargetRefused extends Error {
  override readonly name = 'TargetRefused';
}

/**
 * Resolves a receiver's name once and picks the first address that may be reached. Whoever connects must use that
 * address: resolving again could answer with another one.
 */
export async function resolveTarget(url: URL, policy: AddressPolicy, resolve: Resolve = resolveByDns): Promise<Target> {
  const targets = await resolve(url.hostname.replace(/^\[|\]$/g, ''));
  for (const target of targets) {
    const verdict = policy.judge(target.address);
    if (verdict === 'LISTED' || (verdict === 'PUBLIC' && url.protocol === 'https:')) {
      return target;
    }
  }
  throw new TargetRefused(
    targets.some((target) => policy.judge(target.address) === 'PUBLIC')
      ? 'Plain http goes only to addresses that the operator has listed.'
      : 'The address is not public, and the operator has not listed it.',
  );
}

async function resolveByDns(hostname: string): Promise<readonly Target[]> {
  const literal = isIP(hostname);
  if (literal !== 0) {
    return [{ address: hostname, family: literal === 6 ? 6 : 4 }];
  }
  const found = await lookup(hostname, { all: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}

import type { Pool } from '../pool/pool.ts';

export type NbdMode = 'tls' | 'plain' | 'refused';

export function nbdPurposes(pool: Pool): Set<string> {
  const purposes = pool.db.refs('network').flatMap((network) => pool.db.list('network', network, 'purpose'));
  return new Set(purposes.filter((each) => each === 'nbd' || each === 'insecure_nbd'));
}

/** How NBD may be spoken in the pool: exactly one of the two purposes must be in force. */
export function nbdMode(pool: Pool): NbdMode {
  const purposes = nbdPurposes(pool);
  if (purposes.size !== 1) {
    return 'refused';
  }
  return purposes.has('nbd') ? 'tls' : 'plain';
}

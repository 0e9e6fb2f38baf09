import { join } from 'node:path';
import { cacheFolder } from '../src/platform/embedded/cache-folder.ts';
import { RUSTIC } from './peers/cargo.ts';
import { BORG_DEBIAN, RESTIC } from './peers/debian.ts';
import { obtainPeer, type Announce, type PeerFound } from './peers/peer-program.ts';
import { BORG_NEWEST } from './peers/python.ts';

const RECIPES = {
  'restic 0.14': RESTIC,
  'borg 1.2': BORG_DEBIAN,
  'borg 1.4': BORG_NEWEST,
  'rustic 0.11': RUSTIC,
} as const;
export type PeerName = keyof typeof RECIPES;
export const PEER_NAMES: readonly PeerName[] = ['restic 0.14', 'borg 1.2', 'borg 1.4', 'rustic 0.11'];

/** The backup programs that the vault is measured against, of fixed versions; from the cache after the first time. */
export async function obtainPeers(
  names: readonly PeerName[],
  announce: Announce,
): Promise<ReadonlyMap<PeerName, PeerFound>> {
  const cache = cacheFolder({ XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'], HOME: process.env['HOME'] });
  const found = new Map<PeerName, PeerFound>();
  for (const name of names) {
    found.set(name, await obtainPeer(RECIPES[name], join(cache, 'peers'), announce));
  }
  return found;
}

if (import.meta.main) {
  const peers = await obtainPeers(PEER_NAMES, (line) => process.stderr.write(`${line}\n`));
  console.log(JSON.stringify(Object.fromEntries(peers), null, 2));
}

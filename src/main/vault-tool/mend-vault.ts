import { resolve } from 'node:path';
import {
  describeRepository,
  FileKeyRing,
  listRepositoryKeys,
  mendParameters,
  type ChunkingParameters,
  type MendCandidate,
} from '../../engine/index.ts';
import { formatBytes } from '../../kernel/bytes.ts';
import type { VaultPlace } from './arguments.ts';
import { keysUnreadable } from './keys-errors.ts';
import { keyPlaces } from './key-places.ts';
import { openStore } from './open-store.ts';
import type { Terminal } from './terminal.ts';

/** Puts `repo.0` back, without which the vault can't even be opened, if one of the keys that are there is the vault's. */
export async function mendVault(place: VaultPlace, terminal: Terminal): Promise<void> {
  const { store, close } = await openStore(place);
  try {
    const mended = await mendParameters({ store }, await listCandidates(place));
    if (mended !== null) {
      terminal.print(`MENDED   repo.0, of vault ${mended.repositoryId} of tenant ${mended.tenantId}`);
      const { chunking } = await describeRepository(store);
      terminal.print(`ASSUMED  the parameters that Holdfast gives all vaults: ${inWords(chunking)}`);
    }
  } finally {
    close();
  }
}

function inWords({
  minChunkBytes,
  averageChunkBytes,
  maxChunkBytes,
  segmentBytes,
  packBytes,
}: ChunkingParameters): string {
  const [least, average, most, segments, packs] = [
    minChunkBytes,
    averageChunkBytes,
    maxChunkBytes,
    segmentBytes,
    packBytes,
  ].map(formatBytes);
  return `chunks of ${least} to ${most}, ${average} on the average; segments of ${segments}; packs of ${packs}`;
}

/** Every repository that there are keys of, once; only the one that is said, if one is. */
async function listCandidates({ keys, repository }: VaultPlace): Promise<MendCandidate[]> {
  const found = new Map<string, MendCandidate>();
  for (const { folder, only } of keyPlaces(resolve(keys))) {
    const keyRing = new FileKeyRing(folder);
    const all = await listRepositoryKeys(folder).catch((error: unknown) => {
      throw keysUnreadable(error, folder);
    });
    const meant = all.filter(
      ({ tenantId, repositoryId }) => tenantId === (only ?? tenantId) && repositoryId === (repository ?? repositoryId),
    );
    for (const ids of meant) {
      const key = `${ids.tenantId}/${ids.repositoryId}`;
      found.set(key, found.get(key) ?? { ...ids, keyRing });
    }
  }
  return Array.from(found.values());
}

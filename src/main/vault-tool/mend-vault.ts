import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FileKeyRing, mendParameters } from '../../engine/index.ts';
import { systemClock } from '../../kernel/clock.ts';
import { errnoOf } from '../../kernel/errors.ts';
import { isUuid } from '../../kernel/ids.ts';
import type { VaultPlace } from './arguments.ts';
import { keyFolders } from './open-vault.ts';
import { openStore } from './open-store.ts';
import type { Terminal } from './terminal.ts';

/** Puts `repo.0` back, without which the vault can't even be opened, if one of the keys that are there is the vault's. */
export async function mendVault(place: VaultPlace, terminal: Terminal): Promise<void> {
  const { store, close } = await openStore(place);
  try {
    for (const folder of keyFolders(resolve(place.keys))) {
      const candidates = await listRepositories(folder);
      const mended = await mendParameters({ store, keyRing: new FileKeyRing(folder), clock: systemClock }, candidates);
      if (mended !== null) {
        terminal.print(`MENDED   repo.0, of vault ${mended.repositoryId}`);
        return;
      }
    }
  } finally {
    close();
  }
}

async function listRepositories(folder: string): Promise<{ tenantId: string; repositoryId: string }[]> {
  const found: { tenantId: string; repositoryId: string }[] = [];
  for (const tenantId of (await namesIn(folder)).filter(isUuid)) {
    const files = await namesIn(join(folder, tenantId, 'repositories'));
    const ids = new Set(files.map((name) => name.split('.', 1)[0] ?? '').filter(isUuid));
    found.push(...Array.from(ids, (repositoryId) => ({ tenantId, repositoryId })));
  }
  return found;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') {
      return [];
    }
    throw error;
  }
}

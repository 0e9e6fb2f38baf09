import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import {
  describeRepository,
  DirectoryStore,
  FileKeyRing,
  findTenantOf,
  MemoryLeases,
  openRepository,
  type Repository,
} from '../../engine/index.ts';
import { systemClock } from '../../kernel/clock.ts';
import { AppError, errnoOf, isAppError } from '../../kernel/errors.ts';
import type { VaultPlace } from './arguments.ts';

/** Opens the vault in a folder with whichever keys in the other folder are its own. */
export async function openVault(place: VaultPlace): Promise<Repository> {
  const store = new DirectoryStore(place.vault);
  const { repositoryId } = await describe(store, place.vault);
  const { folder, tenantId } = await findKeys(resolve(place.keys), repositoryId);
  return await openRepository({
    store,
    keyRing: new FileKeyRing(folder),
    leases: new MemoryLeases(systemClock),
    clock: systemClock,
    tenantId,
    repositoryId,
  });
}

async function describe(store: DirectoryStore, vault: string): ReturnType<typeof describeRepository> {
  try {
    return await describeRepository(store);
  } catch (error) {
    if (!isAppError(error, 'VAULT_OBJECT_MISSING')) {
      throw error;
    }
    const below = await vaultsBelow(vault);
    throw new AppError('VAULT_OBJECT_MISSING', `There is no vault in ${vault}: it has no file repo.0.`, {
      hint: below.length === 0 ? 'Give the vault’s own folder.' : `Vaults lie below it: ${below.join(', ')}.`,
      cause: error,
    });
  }
}

async function vaultsBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && (await readdir(path).catch(ignoreUnreadable)).includes('repo.0')) {
      found.push(path);
    }
  }
  return found;
}

async function findKeys(keys: string, repositoryId: string): Promise<{ folder: string; tenantId: string }> {
  for (const folder of [keys, join(keys, 'tenants'), dirname(keys)]) {
    const tenantId = await findTenantOf(folder, repositoryId);
    if (tenantId !== null) {
      return { folder, tenantId };
    }
  }
  throw new AppError('KEY_MISSING', `The folder ${keys} has no keys of this vault, ${repositoryId}.`, {
    hint: `What is needed is <tenant>/kek, <tenant>/master.0, <tenant>/dedup.0 and <tenant>/repositories/${repositoryId}.0.0.`,
  });
}

/** A folder that may not be read has no vault that could be opened. */
function ignoreUnreadable(error: unknown): string[] {
  if (errnoOf(error) === undefined) {
    throw error;
  }
  return [];
}

import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import {
  describeRepository,
  FileKeyRing,
  findTenantOf,
  MemoryLeases,
  openRepository,
  type Repository,
  type RetentionMode,
  type Store,
} from '../../engine/index.ts';
import { systemClock } from '../../kernel/clock.ts';
import { AppError, errnoOf, isAppError } from '../../kernel/errors.ts';
import type { VaultPlace } from './arguments.ts';
import { openStore } from './open-store.ts';

/** A vault that is open; its connections end with it. */
export interface OpenVault extends AsyncDisposable {
  readonly repository: Repository;
}

/** Opens the vault with whichever keys in the folder are its own; `retention` if it is to lock objects. */
export async function openVault(place: VaultPlace, retention?: RetentionMode): Promise<OpenVault> {
  const { store, close } = await openStore(place, retention);
  try {
    const { repositoryId } = await describe(store, place.vault);
    const { folder, tenantId } = await findKeys(resolve(place.keys), repositoryId);
    const repository = await openRepository({
      store,
      keyRing: new FileKeyRing(folder),
      leases: new MemoryLeases(systemClock),
      clock: systemClock,
      tenantId,
      repositoryId,
    });
    return {
      repository,
      [Symbol.asyncDispose]: async () => {
        await repository[Symbol.asyncDispose]();
        close();
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function describe(store: Store, vault: string): ReturnType<typeof describeRepository> {
  try {
    return await describeRepository(store);
  } catch (error) {
    if (!isAppError(error, 'VAULT_OBJECT_MISSING')) {
      throw error;
    }
    const isFolder = !vault.startsWith('s3://');
    const below = isFolder ? await vaultsBelow(vault) : [];
    throw new AppError('VAULT_OBJECT_MISSING', `There is no vault in ${vault}: it has no object repo.0.`, {
      hint: below.length === 0 ? whereToLook(isFolder) : `Vaults lie below it: ${below.join(', ')}.`,
      cause: error,
    });
  }
}

function whereToLook(isFolder: boolean): string {
  const where = isFolder ? 'Give the vault’s own folder' : 'Give bucket and the vault’s own prefix, s3://BUCKET/PREFIX';
  return `${where}. If it is that and repo.0 was lost: holdfast-vault repair.`;
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

/** Where tenants' folders may lie: what was given may be the folder above, their own, or one of theirs. */
export function keyFolders(keys: string): string[] {
  return [keys, join(keys, 'tenants'), dirname(keys)];
}

async function findKeys(keys: string, repositoryId: string): Promise<{ folder: string; tenantId: string }> {
  for (const folder of keyFolders(keys)) {
    const tenantId = await findTenantOf(folder, repositoryId);
    if (tenantId !== null) {
      return { folder, tenantId };
    }
  }
  throw new AppError('KEY_MISSING', `The folder ${keys} has no keys of this vault, ${repositoryId}.`, {
    hint: `What is needed is the tenant’s whole folder: <tenant>/kek and what lies beside it, with repositories/${repositoryId}.*.`,
  });
}

/** A folder that may not be read has no vault that could be opened. */
function ignoreUnreadable(error: unknown): string[] {
  if (errnoOf(error) === undefined) {
    throw error;
  }
  return [];
}

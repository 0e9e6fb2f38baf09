import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
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
import { keyPlaces } from './key-places.ts';
import { keysNotFound, keysUnreadable } from './keys-errors.ts';
import { openStore } from './open-store.ts';

/** A vault that is open; its connections end with it. */
export interface OpenVault extends AsyncDisposable {
  /** Whose keys opened it. */
  readonly tenantId: string;
  readonly repository: Repository;
  /** Of its store: the same however it was named. */
  readonly place: string;
}

/** Opens the vault with whichever keys in the folder are its own; `retention` if it is to lock objects. */
export async function openVault(place: VaultPlace, retention?: RetentionMode): Promise<OpenVault> {
  const { store, place: where, close } = await openStore(place, retention);
  try {
    const { repositoryId } = await describe(store, place.vault);
    requireExpected(place, repositoryId);
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
      tenantId,
      repository,
      place: where,
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

/** Whoever can write where a vault lies can put another one there, which the keys at hand may open as well. */
function requireExpected({ vault, repository }: VaultPlace, found: string): void {
  if (repository !== undefined && repository !== found) {
    throw new AppError('BAD_INPUT', `The vault in ${vault} is ${found}, not ${repository}.`, {
      hint: 'If it is in the right place, somebody put another vault there. Nothing was read from it or written to it.',
    });
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
  return `${where}. If it is that and repo.0 was lost: holdfast-vault repair, which needs one of its restore points.`;
}

async function vaultsBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw noVaultFolder(error, folder);
  });
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && (await readdir(path).catch(ignoreUnreadable)).includes('repo.0')) {
      found.push(path);
    }
  }
  return found;
}

function noVaultFolder(error: unknown, folder: string): AppError {
  if (errnoOf(error) === 'ENOTDIR') {
    return new AppError('BAD_INPUT', `${folder} is no folder.`, {
      hint: 'Give the vault’s own folder: the one with a file repo.0 in it.',
      cause: error,
    });
  }
  return new AppError('BAD_INPUT', `The folder ${folder} can't be read: ${String(errnoOf(error) ?? error)}.`, {
    hint: 'See that the path is right, and that the user that this runs as may read the folder and all that lies in it.',
    cause: error,
  });
}

async function findKeys(keys: string, repositoryId: string): Promise<{ folder: string; tenantId: string }> {
  for (const { folder, only } of keyPlaces(keys)) {
    const tenantId = await findTenantOf(folder, repositoryId).catch((error: unknown) => {
      throw keysUnreadable(error, folder);
    });
    if (tenantId !== null && tenantId === (only ?? tenantId)) {
      return { folder, tenantId };
    }
  }
  throw await keysNotFound(keys, repositoryId);
}

/** A folder that may not be read has no vault that could be opened. */
function ignoreUnreadable(error: unknown): string[] {
  if (errnoOf(error) === undefined) {
    throw error;
  }
  return [];
}

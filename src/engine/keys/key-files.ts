import { randomBytes } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, isAppError } from '../../kernel/errors.ts';
import { MAX_BYTES } from '../format/size-limits.ts';
import type { Store } from '../ports/store.ts';
import { toStoreError } from '../stores/directory-errors.ts';
import { DirectoryStore } from '../stores/directory-store.ts';

/** A folder of small files that are never replaced: a store that can also erase. */
export interface KeyFiles extends Pick<Store, 'description' | 'putIfAbsent' | 'get' | 'list' | 'delete' | 'flush'> {
  /** Makes the folder, if it isn't there. */
  make(): Promise<void>;
  /** Overwrites a file with noise and deletes it. What the disk below kept of its old content is out of reach here. */
  erase(name: string): Promise<void>;
}

export class KeyFolder extends DirectoryStore implements KeyFiles {
  readonly #folder: string;

  constructor(folder: string) {
    super(folder);
    this.#folder = folder;
  }

  async make(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
  }

  async erase(name: string): Promise<void> {
    try {
      await overwrite(join(this.#folder, name));
    } catch (error) {
      throw toStoreError(error, `overwrite ${name}`, this.#folder);
    }
    await this.delete(name);
  }
}

/** Null if there is none, or no folder at all. */
export async function readKeyFile(files: KeyFiles, name: string): Promise<Uint8Array | null> {
  try {
    return await files.get(name, { maxBytes: MAX_BYTES.key });
  } catch (error) {
    if (isAppError(error, 'VAULT_OBJECT_MISSING')) {
      return null;
    }
    throw error;
  }
}

export async function namesIn(files: KeyFiles, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of files.list(prefix)) {
    names.push(name);
  }
  return names;
}

async function overwrite(path: string): Promise<void> {
  try {
    const file = await open(path, 'r+');
    try {
      const { size } = await file.stat();
      await file.write(randomBytes(size), 0, size, 0);
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') {
      throw error;
    }
  }
}

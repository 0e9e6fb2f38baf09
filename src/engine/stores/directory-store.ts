import { randomBytes } from 'node:crypto';
import { dirname, join, posix, resolve } from 'node:path';
import { throwIfAborted } from '../../kernel/abort.ts';
import { AppError, errnoOf } from '../../kernel/errors.ts';
import type { PutOptions, Store, StoredObject } from '../ports/store.ts';
import { requireNoRetention } from './no-retention.ts';
import { toStoreError } from './directory-errors.ts';
import { SYSTEM_FILES, type FileSystem, type OpenFile } from './file-system.ts';
import { requireObjectName } from './object-name.ts';
import { Reserve } from './reserve.ts';
import { writeDurably } from './write-durably.ts';

const ASIDE = '.aside';

/**
 * A directory as a store: local, or mounted. Files are written aside, synchronised, then linked to their final name,
 * which refuses an existing one (a rename would replace it). Directories are synchronised in batches, by `flush`.
 */
export class DirectoryStore implements Store {
  readonly description: string;
  readonly #root: string;
  readonly #files: FileSystem;
  readonly #reserve: Reserve;
  /** Directories that got a new name since the last flush. */
  #unsynced = new Set<string>();
  /** Directories that this store has put or found names in: their own names may be as new, whoever made them. */
  readonly #used = new Set<string>();
  #flushing: Promise<void> = Promise.resolve();

  /** `directory` must exist: a vault whose mount is missing must not be begun anew below the mount point. */
  constructor(directory: string, files: FileSystem = SYSTEM_FILES) {
    this.#root = resolve(directory);
    this.#files = files;
    this.#reserve = new Reserve(files, this.#root);
    this.description = this.#root;
  }

  async putIfAbsent(
    name: string,
    parts: readonly Uint8Array[],
    options: PutOptions = {},
  ): Promise<'created' | 'exists'> {
    requireNoRetention(options, this.description);
    const path = this.#path(name);
    const write = (): Promise<'created' | 'exists'> => this.#put(path, parts, options.signal);
    return this.#guarded(`write ${name}`, async () => {
      throwIfAborted(options.signal);
      const bytes = parts.reduce((sum, { length }) => sum + length, 0);
      return await this.#reserve.spare({ name, bytes, givesSpaceBack: options.givesSpaceBack === true }, write);
    });
  }

  async #put(path: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<'created' | 'exists'> {
    await this.#makeDirectory(dirname(path));
    const aside = join(this.#root, ASIDE, randomBytes(16).toString('hex'));
    await this.#makeDirectory(dirname(aside));
    try {
      await writeDurably(this.#files, aside, parts);
      throwIfAborted(signal);
      return await this.#publish(aside, path);
    } finally {
      await this.#files.unlink(aside).catch(ignoreMissing);
    }
  }

  async get(name: string, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#withFile(name, async (file) => {
      const { size } = await file.stat();
      const into = new Uint8Array(size);
      await readFully(file, 0, into, { name, signal });
      return into;
    });
  }

  async getRange(name: string, offset: number, into: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#withFile(name, (file) => readFully(file, offset, into, { name, signal }));
  }

  async head(name: string): Promise<StoredObject | null> {
    return this.#guarded(`look for ${name}`, async () => {
      try {
        const path = this.#path(name);
        const found = await this.#files.stat(path);
        if (!found.isFile()) {
          return null;
        }
        this.#foundIn(dirname(path));
        return { name, sizeBytes: found.size };
      } catch (error) {
        if (isMissing(error)) {
          await this.#requireRoot();
          return null;
        }
        throw error;
      }
    });
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    const cut = prefix.lastIndexOf('/') + 1;
    yield* this.#walk(prefix.slice(0, cut), prefix.slice(cut));
  }

  async delete(name: string): Promise<void> {
    const path = this.#path(name);
    await this.#guarded(`delete ${name}`, async () => {
      await this.#files.unlink(path).catch(ignoreMissing);
      this.#unsynced.add(dirname(path));
    });
  }

  /** One at a time: who comes second may wait for names that the first is still synchronising. */
  async flush(): Promise<void> {
    const turn = this.#flushing.then(() => this.#syncNames());
    this.#flushing = turn.catch(() => undefined);
    await turn;
  }

  async #syncNames(): Promise<void> {
    const directories = this.#unsynced;
    this.#unsynced = new Set();
    try {
      await Promise.all([...directories].map((directory) => syncDirectory(this.#files, directory)));
    } catch (error) {
      for (const directory of directories) {
        this.#unsynced.add(directory);
      }
      throw toStoreError(error, 'make new names durable', this.#root);
    }
  }

  /** Removes what writers that were killed left aside and that is older than `ageMs` at `now`. Returns how many. */
  async removeLeftovers(now: number, ageMs: number): Promise<number> {
    return this.#guarded('remove leftovers', async () => {
      const aside = join(this.#root, ASIDE);
      const names = await this.#files.readdir(aside).catch((error: unknown) => {
        ignoreMissing(error);
        return [];
      });
      let removed = 0;
      for (const name of names) {
        const found = await this.#files.stat(join(aside, name)).catch(ignoreMissing);
        if (found !== undefined && found.mtimeMs <= now - ageMs) {
          await this.#files.unlink(join(aside, name)).catch(ignoreMissing);
          removed += 1;
        }
      }
      return removed;
    });
  }

  async *#walk(folder: string, start: string): AsyncIterable<StoredObject> {
    let entries;
    try {
      entries = await this.#files.opendir(join(this.#root, folder));
    } catch (error) {
      if (isMissing(error)) {
        await this.#guarded('list', () => this.#requireRoot());
        return;
      }
      throw toStoreError(error, `list ${folder}`, this.#root);
    }
    for await (const entry of entries) {
      const name = posix.join(folder, entry.name);
      if (!entry.name.startsWith(start) || entry.name === ASIDE) {
        continue;
      }
      if (entry.isDirectory()) {
        yield* this.#walk(`${name}/`, '');
      } else {
        const found = await this.#guarded('list', () => this.#files.stat(join(this.#root, name)).catch(ignoreMissing));
        if (found !== undefined) {
          this.#foundIn(dirname(join(this.#root, name)));
          yield { name, sizeBytes: found.size };
        }
      }
    }
  }

  async #publish(aside: string, path: string): Promise<'created' | 'exists'> {
    this.#unsynced.add(dirname(path));
    try {
      await this.#files.link(aside, path);
      return 'created';
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') {
        throw error;
      }
      return (await this.#isSameFile(aside, path)) ? 'created' : 'exists';
    }
  }

  /** Over a network a request may have been done whose answer was lost, and be refused when it is sent again. */
  async #isSameFile(aside: string, path: string): Promise<boolean> {
    try {
      const [mine, there] = [await this.#files.stat(aside), await this.#files.stat(path)];
      return mine.ino !== undefined && mine.ino === there.ino;
    } catch (error) {
      ignoreMissing(error);
      return false; // deleted meanwhile: somebody else's, since nobody knows of this one yet
    }
  }

  async #makeDirectory(directory: string): Promise<void> {
    await this.#requireRoot();
    const first = await this.#files.mkdir(directory, { recursive: true, mode: 0o700 }).catch(async (error: unknown) => {
      await this.#explainMissing(directory, error);
    });
    if (first !== undefined) {
      this.#used.delete(directory);
    }
    this.#relyOn(directory);
  }

  /** Node says ENOENT of a file system that is read-only, when it makes several levels; of one level it says the truth. */
  async #explainMissing(directory: string, error: unknown): Promise<never> {
    const levels = [];
    for (let at = directory; isMissing(error) && at !== this.#root; at = dirname(at)) {
      levels.unshift(at);
    }
    for (const level of levels) {
      await this.#files.mkdir(level, { recursive: false, mode: 0o700 }).catch((reason: unknown) => {
        if (errnoOf(reason) !== 'EEXIST') {
          throw reason;
        }
      });
    }
    throw error;
  }

  /** Whoever put a name may have died before it was safe: the next flush sees to it that what is built on it stands. */
  #foundIn(directory: string): void {
    this.#unsynced.add(directory);
    this.#relyOn(directory);
  }

  /** Whoever made a directory may have died before its own name was safe: the next flush sees to it. */
  #relyOn(directory: string): void {
    if (!this.#used.has(directory)) {
      this.#used.add(directory);
      for (let at = directory; at !== this.#root; at = dirname(at)) {
        this.#unsynced.add(dirname(at));
      }
    }
  }

  async #requireRoot(): Promise<void> {
    try {
      await this.#files.stat(this.#root);
    } catch (error) {
      throw toStoreError(error, 'find the directory', this.#root);
    }
  }

  async #withFile<T>(name: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
    return this.#guarded(`read ${name}`, async () => {
      let file: OpenFile;
      try {
        file = await this.#files.open(this.#path(name), 'r');
      } catch (error) {
        if (!isMissing(error)) {
          throw error;
        }
        await this.#requireRoot();
        throw new AppError('VAULT_OBJECT_MISSING', `${name} is not in the vault at ${this.#root}.`, {
          data: { object: name },
        });
      }
      try {
        return await use(file);
      } finally {
        await file.close();
      }
    });
  }

  async #guarded<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toStoreError(error, what, this.#root);
    }
  }

  #path(name: string): string {
    requireObjectName(name);
    return join(this.#root, name);
  }
}

async function readFully(
  file: OpenFile,
  offset: number,
  into: Uint8Array,
  context: { readonly name: string; readonly signal: AbortSignal | undefined },
): Promise<void> {
  for (let at = 0; at < into.length;) {
    throwIfAborted(context.signal);
    const { bytesRead } = await file.read(into, at, into.length - at, offset + at);
    if (bytesRead === 0) {
      throw new AppError('VAULT_CORRUPT', `${context.name} ends before byte ${offset + into.length}.`, {
        data: { object: context.name },
      });
    }
    at += bytesRead;
  }
}

async function syncDirectory(files: FileSystem, directory: string): Promise<void> {
  const handle = await files.open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isMissing(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOENT' || errno === 'ENOTDIR';
}

function ignoreMissing(error: unknown): undefined {
  if (!isMissing(error)) {
    throw error;
  }
  return undefined;
}

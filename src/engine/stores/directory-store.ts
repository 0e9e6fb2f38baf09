import { randomBytes } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { throwIfAborted } from '../../kernel/abort.ts';
import { AppError, errnoOf } from '../../kernel/errors.ts';
import type { GetOptions, PutOptions, Store, StoredObject } from '../ports/store.ts';
import { requireNoRetention } from './no-retention.ts';
import { ignoreMissing, isMissing, isOfNoFile, isOfNoName, noRegularFile, toStoreError } from './directory-errors.ts';
import { SYSTEM_FILES, type FileSystem, type OpenFile } from './file-system.ts';
import { listFiles } from './list-files.ts';
import { folderOf, requireObjectName } from './object-name.ts';
import { RealFolders } from './real-folders.ts';
import { Reserve } from './reserve.ts';
import { requireSize } from './size-limit.ts';
import { writeDurably } from './write-durably.ts';

const ASIDE = '.aside';
/** Of what is written aside; whatever else lies there is somebody else's. */
const ASIDE_NAME = /^[0-9a-f]{32}$/;

/**
 * A directory as a store: local, or mounted. Files are written aside, synchronised, then linked to their final name,
 * which refuses an existing one (a rename would replace it). Directories are synchronised in batches, by `flush`.
 * The root may be a link; what lies below it may not: a vault reaches nothing outside.
 */
export class DirectoryStore implements Store {
  readonly description: string;
  readonly #root: string;
  readonly #files: FileSystem;
  readonly #folders: RealFolders;
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
    this.#folders = new RealFolders(files, this.#root);
    this.#reserve = new Reserve(files, this.#root);
    this.description = this.#root;
  }

  async putIfAbsent(
    name: string,
    parts: readonly Uint8Array[],
    options: PutOptions = {},
  ): Promise<'created' | 'exists'> {
    requireNoRetention(options, this.description);
    requireObjectName(name);
    const write = (): Promise<'created' | 'exists'> => this.#put(name, parts, options.signal);
    return this.#guarded(`write ${name}`, async () => {
      throwIfAborted(options.signal);
      const bytes = parts.reduce((sum, { length }) => sum + length, 0);
      return await this.#reserve.spare({ name, bytes, givesSpaceBack: options.givesSpaceBack === true }, write);
    });
  }

  async #put(name: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<'created' | 'exists'> {
    const path = join(this.#root, name);
    await this.#makeFolder(folderOf(name));
    const aside = join(this.#root, ASIDE, randomBytes(16).toString('hex'));
    await this.#makeFolder(ASIDE);
    try {
      await writeDurably(this.#files, aside, parts);
      throwIfAborted(signal);
      return await this.#publish(aside, path);
    } finally {
      await this.#files.unlink(aside).catch(ignoreMissing);
    }
  }

  async get(name: string, { signal, maxBytes }: GetOptions = {}): Promise<Uint8Array> {
    return this.#withFile(name, async (file) => {
      const found = await file.stat();
      if (!found.isFile()) {
        throw noRegularFile(name, this.#root);
      }
      requireSize(name, found.size, maxBytes);
      const into = new Uint8Array(found.size);
      await readFully(file, 0, into, { name, signal });
      return into;
    });
  }

  async getRange(name: string, offset: number, into: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#withFile(name, (file) => readFully(file, offset, into, { name, signal }));
  }

  async head(name: string): Promise<StoredObject | null> {
    return this.#guarded(
      `look for ${name}`,
      async () => {
        try {
          const path = this.#path(name);
          await this.#folders.require(folderOf(name));
          const found = await this.#files.lstat(path);
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
          if (isOfNoName(error)) {
            return null;
          }
          throw error;
        }
      },
      name,
    );
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    const cut = prefix.lastIndexOf('/') + 1;
    const folder = prefix.slice(0, cut);
    await this.#guarded(`list ${folder}`, () => this.#folders.requireNow(folderOf(folder)));
    const folders = { files: this.#files, root: this.#root, requireRoot: () => this.#requireRoot() };
    for await (const found of listFiles(folders, folder, prefix.slice(cut))) {
      this.#foundIn(dirname(join(this.#root, found.name)));
      yield found;
    }
  }

  async delete(name: string): Promise<void> {
    const path = this.#path(name);
    await this.#guarded(`delete ${name}`, async () => {
      await this.#folders.requireNow(folderOf(name));
      await this.#explained(name, () => this.#files.unlink(path).catch(ignoreMissing));
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
      await this.#folders.requireNow(ASIDE);
      const names = await this.#files.readdir(aside).catch((error: unknown) => {
        ignoreMissing(error);
        return [];
      });
      let removed = 0;
      for (const name of names.filter((each) => ASIDE_NAME.test(each))) {
        const found = await this.#files.lstat(join(aside, name)).catch(ignoreMissing);
        if (found?.isFile() === true && found.mtimeMs <= now - ageMs) {
          await this.#files.unlink(join(aside, name)).catch(ignoreMissing);
          removed += 1;
        }
      }
      return removed;
    });
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
      const [mine, there] = [await this.#files.lstat(aside), await this.#files.lstat(path)];
      return mine.ino !== undefined && mine.ino === there.ino;
    } catch (error) {
      ignoreMissing(error);
      return false; // deleted meanwhile: somebody else's, since nobody knows of this one yet
    }
  }

  async #makeFolder(folder: string): Promise<void> {
    const directory = resolve(this.#root, folder);
    await this.#requireRoot();
    await this.#folders.require(folder);
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
    return this.#guarded(
      `read ${name}`,
      async () => {
        let file: OpenFile;
        try {
          const path = this.#path(name);
          await this.#folders.require(folderOf(name));
          file = await this.#explained(name, () => this.#files.openObject(path));
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
          return await this.#explained(name, () => use(file));
        } finally {
          await file.close();
        }
      },
      name,
    );
  }

  /** What lies at one object's name says nothing of the others. */
  async #explained<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw isOfNoFile(error) && (await this.#isNoFile(name)) ? noRegularFile(name, this.#root, error) : error;
    }
  }

  /** Looked at, because a file system that is away may say the same of a file. */
  async #isNoFile(name: string): Promise<boolean> {
    try {
      return !(await this.#files.lstat(this.#path(name))).isFile();
    } catch (error) {
      if (isOfNoName(error)) {
        return true;
      }
      throw error;
    }
  }

  async #guarded<T>(what: string, work: () => Promise<T>, object?: string): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toStoreError(error, what, this.#root, object);
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

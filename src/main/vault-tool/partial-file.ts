import { constants, type BigIntStats } from 'node:fs';
import { lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { AppError, errnoOf } from '../../kernel/errors.ts';
import { nameNew } from './name-new.ts';
import { syncFolderOf } from './sync-folder.ts';

/** What tells a file from all others, also from a later one of its name: numbers in decimal, `born` in nanoseconds. */
export interface FileIdentity {
  readonly device: string;
  readonly inode: string;
  readonly born: string;
}

/** What an interrupted restore wrote to; null: a device. */
export interface Begun {
  readonly identity: FileIdentity | null;
}

export interface PartialOptions {
  /** Replaces what is there. */
  readonly force: boolean;
  /** The file that was begun before, if it is to go on; null: a new one. */
  readonly begun: FileIdentity | null;
  /** The file that remembers what was begun. */
  readonly resume: string | undefined;
}

/** Where the file grows that is to have this name. */
export function partialName(to: string): string {
  return `${to}.partial`;
}

/** A file that is half-written, under a name that says so. */
export class PartialFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly identity: FileIdentity;
  readonly #force: boolean;

  private constructor(path: string, handle: FileHandle, identity: FileIdentity, force: boolean) {
    this.path = path;
    this.handle = handle;
    this.identity = identity;
    this.#force = force;
  }

  /** BAD_INPUT where something is there that is not to be replaced, or what was begun is not there any more. */
  static async open(path: string, options: PartialOptions): Promise<PartialFile> {
    const { begun, resume = '' } = options;
    const handle = begun === null ? await create(path, options) : await reopen(path, resume);
    const identity = identityOf(await handle.stat({ bigint: true }));
    if (begun !== null && !isSame(begun, identity)) {
      await handle.close();
      throw new AppError('BAD_INPUT', `${path} is not the file that the restore of ${resume} began.`, {
        hint: `Remove ${resume} and ${path} to begin anew, or choose another name.`,
      });
    }
    return new PartialFile(path, handle, identity, options.force);
  }

  /**
   * Durable, and under its own name. BAD_INPUT where another restore has put its own file in this one's place, or something
   * has that name by now which is not to be replaced; then the file is open still.
   */
  async complete(to: string): Promise<void> {
    await this.handle.sync();
    if (!(await this.#isThere())) {
      throw new AppError('BAD_INPUT', `${this.path} was replaced while it was written.`, {
        hint: 'Let only one restore at a time write to that name, and repeat this one.',
      });
    }
    await (this.#force ? rename(this.path, to) : nameNew(this.path, to));
    await syncFolderOf(to);
    await this.handle.close();
  }

  async remove(): Promise<void> {
    if (await this.#isThere()) {
      await rm(this.path, { force: true });
    }
  }

  async #isThere(): Promise<boolean> {
    try {
      return isSame(this.identity, identityOf(await lstat(this.path, { bigint: true })));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') {
        return false;
      }
      throw error;
    }
  }
}

/** `wx` takes neither a file that is there nor a link to one. */
async function create(path: string, { force }: PartialOptions): Promise<FileHandle> {
  if (force) {
    await rm(path, { force: true });
  }
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') {
      throw error;
    }
    throw new AppError('BAD_INPUT', `${path} is there already, perhaps from a restore that was interrupted.`, {
      hint: 'Remove it or choose another name; --force replaces it.',
      cause: error,
    });
  }
}

async function reopen(path: string, resume: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ELOOP') {
      throw error;
    }
    throw new AppError('BAD_INPUT', `${path}, which the restore is to go on with, is not there any more.`, {
      hint: `Remove ${resume} to begin anew.`,
      cause: error,
    });
  }
}

function identityOf({ dev, ino, birthtimeNs }: BigIntStats): FileIdentity {
  return { device: String(dev), inode: String(ino), born: String(birthtimeNs) };
}

/** A number is used again for later files, but not with its time; a device may have another number after a boot. */
function isSame(a: FileIdentity, b: FileIdentity): boolean {
  return a.inode === b.inode && a.born === b.born && (a.born !== '0' || a.device === b.device);
}

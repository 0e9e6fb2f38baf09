import { MIB } from '../../kernel/bytes.ts';
import { AppError, errnoOf } from '../../kernel/errors.ts';
import type { FileSystem } from './file-system.ts';

/** Of a file system's size; and never more than this. */
const SHARE = 64;
const MAX_RESERVE_BYTES = 256 * MIB;
/** Objects of these areas take nothing of the reserve, however small; others only where they are large. */
const BULK = /^(data|meta)\//;
const LARGE_BYTES = MIB;

interface Wish {
  readonly name: string;
  readonly bytes: number;
  readonly givesSpaceBack: boolean;
}

/**
 * Keeps the last bytes of a file system for what gives space back: who deletes restore points and collects writes
 * too, and a store that is full to its last byte could never be emptied. Nothing marks it; it is what bulk leaves free.
 */
export class Reserve {
  readonly #files: FileSystem;
  readonly #root: string;
  /** What is being written lies on the disk by half: all of it counts as still to come. */
  #writing = 0;

  constructor(files: FileSystem, root: string) {
    this.#files = files;
    this.#root = root;
  }

  /** VAULT_FULL where the object would not leave the reserve; half of it, where it gives space back. */
  async spare<T>(wish: Wish, write: () => Promise<T>): Promise<T> {
    const { name, bytes } = wish;
    if (!BULK.test(name) && bytes < LARGE_BYTES) {
      return write();
    }
    this.#writing += bytes;
    try {
      await this.#requireRoom(wish, this.#writing);
      return await write();
    } finally {
      this.#writing -= bytes;
    }
  }

  async #requireRoom({ name, givesSpaceBack }: Wish, writing: number): Promise<void> {
    const { bsize, blocks, bavail } = await this.#readSpace();
    const reserve = Math.min(MAX_RESERVE_BYTES, (blocks * bsize) / SHARE) / (givesSpaceBack ? 2 : 1);
    if (blocks > 0 && bavail * bsize - writing < reserve) {
      throw new AppError('VAULT_FULL', `Could not write ${name} in the vault at ${this.#root}: it has no room left.`, {
        data: { directory: this.#root, freeBytes: bavail * bsize, reserveBytes: reserve },
      });
    }
  }

  /** No blocks at all is said where nobody knows; then the write itself has to find out. */
  async #readSpace(): Promise<{ readonly bsize: number; readonly blocks: number; readonly bavail: number }> {
    const unknown = { bsize: 0, blocks: 0, bavail: 0 };
    try {
      return (await this.#files.statfs?.(this.#root)) ?? unknown;
    } catch (error) {
      if (errnoOf(error) === 'ENOSYS') {
        return unknown;
      }
      throw error;
    }
  }
}

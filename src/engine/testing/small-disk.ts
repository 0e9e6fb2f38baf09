import { SYSTEM_FILES, type FileSystem, type OpenFile } from '../stores/file-system.ts';

const BLOCK_BYTES = 4096;

interface File {
  bytes: number;
  names: number;
}

/** The real file system, but for the room: files take whole blocks, folders none, and there are only so many. */
export class SmallDisk {
  readonly #blocks: number;
  /** Two names of one file have one entry. */
  readonly #files = new Map<string, File>();

  constructor(blocks: number) {
    this.#blocks = blocks;
  }

  get freeBlocks(): number {
    const files = new Set(this.#files.values());
    return this.#blocks - [...files].reduce((sum, { bytes }) => sum + Math.ceil(bytes / BLOCK_BYTES), 0);
  }

  readonly files: FileSystem = {
    ...SYSTEM_FILES,
    createDirect: (path, mode) => this.#create(path, 'wx', mode),
    open: (path, flags, mode) => (flags === 'r' ? SYSTEM_FILES.open(path, flags) : this.#create(path, flags, mode)),
    link: async (existing, name) => {
      await SYSTEM_FILES.link(existing, name);
      const file = this.#file(existing);
      file.names += 1;
      this.#files.set(name, file);
    },
    unlink: async (path) => {
      await SYSTEM_FILES.unlink(path);
      const file = this.#file(path);
      file.names -= 1;
      file.bytes = file.names === 0 ? 0 : file.bytes;
      this.#files.delete(path);
    },
    statfs: async () => ({ bsize: BLOCK_BYTES, blocks: this.#blocks, bavail: this.freeBlocks }),
  };

  async #create(path: string, flags: string, mode?: number): Promise<OpenFile> {
    const file = await SYSTEM_FILES.open(path, flags, mode);
    const known = this.#files.get(path) ?? { bytes: 0, names: 1 };
    this.#files.set(path, known);
    return {
      read: (into, at, length, position) => file.read(into, at, length, position),
      stat: () => file.stat(),
      datasync: () => file.datasync(),
      sync: () => file.sync(),
      close: () => file.close(),
      write: async (data, at, length) => {
        known.bytes += length;
        if (this.freeBlocks < 0) {
          known.bytes -= length;
          throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
        }
        return file.write(data, at, length);
      },
    };
  }

  #file(path: string): File {
    const file = this.#files.get(path);
    if (file === undefined) {
      throw new RangeError(`${path} was not made here`);
    }
    return file;
  }
}

import { basename, dirname } from 'node:path';
import type { FileSystem, OpenFile } from '../../src/engine/stores/file-system.ts';
import { ROOT_INODE, type Change, type ModelDisk } from './model-disk.ts';

/** The folder of the store on the model: the file system's root, which is always there. */
export const MODEL_ROOT = '/';

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

/** What one process makes of a model disk: every change is told to `record`, until the process dies. */
export class ModelFiles implements FileSystem {
  readonly #disk: ModelDisk;
  readonly #record: (change: Change) => void;
  readonly #dieAt: number;
  #changes = 0;

  /** `dieAt`: the change, counted from 1, that is not made any more; and nothing after it. */
  constructor(disk: ModelDisk, record: (change: Change) => void = () => {}, dieAt = Infinity) {
    this.#disk = disk;
    this.#record = record;
    this.#dieAt = dieAt;
  }

  get changes(): number {
    return this.#changes;
  }

  async open(path: string, flags: string): Promise<OpenFile> {
    this.#requireAlive();
    if (flags === 'r') {
      return this.#opened(this.#find(path), 0);
    }
    if (flags !== 'wx') {
      throw new RangeError(`the model knows no files that are opened with ${flags}`);
    }
    const { folder, name } = this.#newName(path);
    const inode = this.#disk.newInode();
    this.#change({ kind: 'create', folder, name, inode });
    return this.#opened(inode, 0);
  }

  openObject(path: string): Promise<OpenFile> {
    return this.open(path, 'r');
  }

  async link(existing: string, path: string): Promise<void> {
    this.#requireAlive();
    const inode = this.#find(existing);
    this.#change({ kind: 'link', inode, ...this.#newName(path) });
  }

  async unlink(path: string): Promise<void> {
    this.#requireAlive();
    this.#find(path);
    this.#change({ kind: 'unlink', folder: this.#find(dirname(path)), name: basename(path) });
  }

  /** One level after the other, as the real one does. */
  async mkdir(path: string): Promise<string | undefined> {
    this.#requireAlive();
    if (this.#lookUp(path) !== null) {
      return undefined;
    }
    const above = await this.mkdir(dirname(path));
    const inode = this.#disk.newInode();
    this.#change({ kind: 'mkdir', folder: this.#find(dirname(path)), name: basename(path), inode });
    return above ?? path;
  }

  async stat(path: string) {
    this.#requireAlive();
    const inode = this.#find(path);
    const isFolder = this.#disk.isFolder(inode);
    const size = isFolder ? 0 : this.#disk.file(inode).data.length;
    return { size, mtimeMs: 0, isFile: () => !isFolder, isDirectory: () => isFolder };
  }

  async lstat(path: string) {
    return { ...(await this.stat(path)), isSymbolicLink: () => false };
  }

  async readdir(path: string): Promise<string[]> {
    this.#requireAlive();
    return [...this.#disk.folder(this.#find(path)).entries.keys()];
  }

  async opendir(path: string) {
    this.#requireAlive();
    const entries = [...this.#disk.folder(this.#find(path)).entries].map(([name, inode]) => {
      const isFolder = this.#disk.isFolder(inode);
      return { name, isFile: () => !isFolder, isDirectory: () => isFolder, isSymbolicLink: () => false };
    });
    return (async function* list() {
      yield* entries;
    })();
  }

  #opened(inode: number, start: number): OpenFile {
    let end = start;
    const sync = async (): Promise<void> => {
      this.#requireAlive();
      this.#change({ kind: 'sync', inode });
    };
    return {
      write: async (data, at, length) => {
        this.#requireAlive();
        this.#change({ kind: 'write', inode, at: end, data: data.slice(at, at + length) });
        end += length;
        return { bytesWritten: length };
      },
      read: async (into, at, length, position) => {
        this.#requireAlive();
        const piece = this.#disk.file(inode).data.subarray(position, position + length);
        into.set(piece, at);
        return { bytesRead: piece.length };
      },
      stat: async () => ({ size: this.#disk.file(inode).data.length, isFile: () => !this.#disk.isFolder(inode) }),
      datasync: sync,
      sync,
      close: async () => {},
    };
  }

  #change(change: Change): void {
    this.#changes += 1;
    this.#requireAlive();
    this.#disk.apply(change);
    this.#record(change);
  }

  #requireAlive(): void {
    if (this.#changes >= this.#dieAt) {
      throw failure('EIO', 'the process is dead');
    }
  }

  #newName(path: string): { readonly folder: number; readonly name: string } {
    if (this.#lookUp(path) !== null) {
      throw failure('EEXIST', path);
    }
    return { folder: this.#find(dirname(path)), name: basename(path) };
  }

  #find(path: string): number {
    const inode = this.#lookUp(path);
    if (inode === null) {
      throw failure('ENOENT', path);
    }
    return inode;
  }

  #lookUp(path: string): number | null {
    let inode = ROOT_INODE;
    for (const name of path.split('/').filter((part) => part !== '')) {
      if (!this.#disk.isFolder(inode)) {
        throw failure('ENOTDIR', path);
      }
      const next = this.#disk.folder(inode).entries.get(name);
      if (next === undefined) {
        return null;
      }
      inode = next;
    }
    return inode;
  }
}

/**
 * A file system as far as a power cut is concerned. A file's bytes are safe once the file was synchronised, a name once
 * its folder was; until then each may be lost by itself, in any order, and bytes may also be zeros or torn.
 */
export type Change =
  | { readonly kind: 'create' | 'link'; readonly folder: number; readonly name: string; readonly inode: number }
  | { readonly kind: 'mkdir'; readonly folder: number; readonly name: string; readonly inode: number }
  | { readonly kind: 'unlink'; readonly folder: number; readonly name: string }
  | { readonly kind: 'write'; readonly inode: number; readonly at: number; readonly data: Uint8Array }
  | { readonly kind: 'sync'; readonly inode: number };

export const ROOT_INODE = 0;

/** A folder or a file's bytes, after a power cut: everything in it is safe. */
export type Image = Map<string, Image | Uint8Array>;

class ModelFile {
  data: Uint8Array;
  safe: Uint8Array;

  constructor(data: Uint8Array) {
    this.data = data;
    this.safe = data;
  }
}

class ModelFolder {
  readonly entries = new Map<string, number>();
  /** What each name may stand for after a power cut, where that is not certain: null for nothing. The last one is now. */
  readonly unsure = new Map<string, (number | null)[]>();

  set(name: string, inode: number | null): void {
    const before = this.unsure.get(name) ?? [this.entries.get(name) ?? null];
    this.unsure.set(name, [...before, inode]);
    if (inode === null) {
      this.entries.delete(name);
    } else {
      this.entries.set(name, inode);
    }
  }
}

export type FileState = 'now' | 'safe' | 'zeros' | 'torn';
const FILE_STATES: readonly FileState[] = ['now', 'safe', 'zeros', 'torn'];

/** Something that a power cut decides, and how many ways it has. */
export interface Coin {
  readonly key: string;
  readonly sides: number;
}

/** Which way each coin fell; those that are not named fell on `otherwise`: the first side is oldest, the last is now. */
export interface Fall {
  readonly sides: ReadonlyMap<string, number>;
  readonly otherwise: 'oldest' | 'now';
}

export class ModelDisk {
  readonly #inodes = new Map<number, ModelFile | ModelFolder>([[ROOT_INODE, new ModelFolder()]]);
  #next = 1;

  static of(image: Image): ModelDisk {
    const disk = new ModelDisk();
    disk.#plant(disk.folder(ROOT_INODE), image);
    return disk;
  }

  newInode(): number {
    const inode = this.#next;
    this.#next += 1;
    return inode;
  }

  apply(change: Change): void {
    switch (change.kind) {
      case 'create':
        this.#inodes.set(change.inode, new ModelFile(new Uint8Array(0)));
        this.folder(change.folder).set(change.name, change.inode);
        break;
      case 'mkdir':
        this.#inodes.set(change.inode, new ModelFolder());
        this.folder(change.folder).set(change.name, change.inode);
        break;
      case 'link':
        this.folder(change.folder).set(change.name, change.inode);
        break;
      case 'unlink':
        this.folder(change.folder).set(change.name, null);
        break;
      case 'write':
        this.#write(this.file(change.inode), change.at, change.data);
        break;
      case 'sync':
        this.#sync(change.inode);
        break;
    }
  }

  folder(inode: number): ModelFolder {
    const found = this.#inodes.get(inode);
    if (!(found instanceof ModelFolder)) {
      throw new TypeError(`inode ${inode} is no folder`);
    }
    return found;
  }

  file(inode: number): ModelFile {
    const found = this.#inodes.get(inode);
    if (!(found instanceof ModelFile)) {
      throw new TypeError(`inode ${inode} is no file`);
    }
    return found;
  }

  isFolder(inode: number): boolean {
    return this.#inodes.get(inode) instanceof ModelFolder;
  }

  /** Of everything that a name outside of `ignored` may lead to. */
  coins(ignored: string): Coin[] {
    const coins: Coin[] = [];
    const seen = new Set<number>();
    const visit = (inode: number): void => {
      if (seen.has(inode)) {
        return;
      }
      seen.add(inode);
      const node = this.#inodes.get(inode);
      if (node instanceof ModelFile && node.data !== node.safe) {
        coins.push({ key: `file ${inode}`, sides: FILE_STATES.length });
      } else if (node instanceof ModelFolder) {
        for (const [name, values] of node.unsure) {
          if (name !== ignored) {
            coins.push({ key: `name ${inode} ${name}`, sides: values.length });
            values.filter((value) => value !== null).forEach(visit);
          }
        }
        for (const [name, value] of node.entries) {
          if (name !== ignored) {
            visit(value);
          }
        }
      }
    };
    visit(ROOT_INODE);
    return coins;
  }

  /** What is there after a power cut, and a text that is the same for the same content. */
  image(fall: Fall, ignored: string): { readonly image: Image; readonly key: string } {
    const parts: string[] = [];
    const image = this.#folderImage(ROOT_INODE, fall, { ignored, parts, path: '' });
    return { image, key: parts.toSorted().join('\n') };
  }

  #folderImage(
    inode: number,
    fall: Fall,
    { ignored, parts, path }: { readonly ignored: string; readonly parts: string[]; readonly path: string },
  ): Image {
    const folder = this.folder(inode);
    const names = new Set([...folder.entries.keys(), ...folder.unsure.keys()].filter((name) => name !== ignored));
    const image: Image = new Map();
    for (const name of names) {
      const values = folder.unsure.get(name) ?? [folder.entries.get(name) ?? null];
      const value = values[sideOf(`name ${inode} ${name}`, values.length, fall)] ?? null;
      const at = `${path}/${name}`;
      if (value !== null && this.isFolder(value)) {
        parts.push(at);
        image.set(name, this.#folderImage(value, fall, { ignored, parts, path: at }));
      } else if (value !== null) {
        const state = this.#fileState(value, fall);
        parts.push(`${at} ${value} ${state}`);
        image.set(name, this.#fileImage(value, state));
      }
    }
    return image;
  }

  #fileState(inode: number, fall: Fall): FileState {
    const file = this.file(inode);
    if (file.data === file.safe) {
      return 'now';
    }
    const { sides, otherwise } = fall;
    return FILE_STATES[sides.get(`file ${inode}`) ?? (otherwise === 'now' ? 0 : 1)] ?? 'now';
  }

  #fileImage(inode: number, state: FileState): Uint8Array {
    const { data, safe } = this.file(inode);
    switch (state) {
      case 'now':
        return data;
      case 'safe':
        return safe;
      case 'zeros':
        return new Uint8Array(data.length);
      case 'torn': {
        const torn = new Uint8Array(data.length);
        torn.set(data.subarray(0, Math.floor(data.length / 2)));
        return torn;
      }
    }
    return state;
  }

  #write(file: ModelFile, at: number, data: Uint8Array): void {
    const written = new Uint8Array(Math.max(file.data.length, at + data.length));
    written.set(file.data);
    written.set(data, at);
    file.data = written;
  }

  #sync(inode: number): void {
    const node = this.#inodes.get(inode);
    if (node instanceof ModelFile) {
      node.safe = node.data;
    } else {
      node?.unsure.clear();
    }
  }

  #plant(folder: ModelFolder, image: Image): void {
    for (const [name, content] of image) {
      const inode = this.newInode();
      folder.entries.set(name, inode);
      if (content instanceof Uint8Array) {
        this.#inodes.set(inode, new ModelFile(content));
      } else {
        const below = new ModelFolder();
        this.#inodes.set(inode, below);
        this.#plant(below, content);
      }
    }
  }
}

function sideOf(key: string, count: number, { sides, otherwise }: Fall): number {
  return sides.get(key) ?? (otherwise === 'now' ? count - 1 : 0);
}

import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { Bitmap } from './bitmap.ts';
import { BLOCK } from './block.ts';

/** Where layers take their space from; `take` throws when there is none left. */
export interface Space {
  take(bytes: number): void;
  give(bytes: number): void;
}

/** One file of a disk's chain: the blocks that were written while it was the top, at their own offsets. */
export class Layer {
  /** Names it among the SR's disks while it is an unmanaged base. */
  readonly uuid: string = randomUUID();
  readonly children = new Set<Layer>();
  parent: Layer | undefined;
  /** The size of the disk that it was made for. */
  readonly virtualSize: number;
  /** Its content went over to its only child; it is no part of any chain any more. */
  absorbed = false;
  #blocks = new Bitmap();
  #path: string;
  #file: Promise<FileHandle> | undefined;
  readonly #space: Space;

  constructor(path: string, space: Space, virtualSize: number, parent?: Layer) {
    this.#path = path;
    this.virtualSize = virtualSize;
    this.#space = space;
    this.parent = parent;
    parent?.children.add(this);
  }

  get usedBytes(): number {
    return this.#blocks.count * BLOCK;
  }

  get blockCount(): number {
    return this.#blocks.count;
  }

  /** How many files a read may have to look through. */
  get depth(): number {
    return 1 + (this.parent?.depth ?? 0);
  }

  /** The layer that holds the block's content, or undefined where nobody wrote. */
  holderOf(block: number): Layer | undefined {
    return this.#blocks.has(block) ? this : this.parent?.holderOf(block);
  }

  async read(target: Buffer, position: number): Promise<void> {
    const file = await this.#open();
    await file.read(target, 0, target.length, position);
  }

  /** Writes one or more whole blocks. */
  async writeBlocks(first: number, content: Buffer): Promise<void> {
    const blocks = Array.from({ length: content.length / BLOCK }, (_, index) => first + index);
    this.#space.take(blocks.filter((block) => !this.#blocks.has(block)).length * BLOCK);
    const file = await this.#open();
    await file.write(content, 0, content.length, first * BLOCK);
    for (const block of blocks) {
      this.#blocks.add(block);
    }
  }

  /** Becomes one with its parent, which has no other child. Nothing may read or write the chain meanwhile. */
  async absorbParent(): Promise<void> {
    const parent = this.parent;
    if (parent === undefined) {
      return;
    }
    if (this.blockCount <= parent.blockCount) {
      await this.#copyTo(parent);
      await this.remove();
      this.#path = parent.#path;
      this.#file = parent.#file;
      this.#blocks = parent.#blocks;
    } else {
      await parent.#copyTo(this, (block) => !this.#blocks.has(block));
      await parent.remove();
    }
    parent.absorbed = true;
    this.parent = parent.parent;
    parent.parent?.children.delete(parent);
    parent.parent?.children.add(this);
  }

  async remove(): Promise<void> {
    this.#space.give(this.usedBytes);
    this.#blocks = new Bitmap();
    await this.close();
    await rm(this.#path, { force: true });
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await (await file)?.close();
  }

  async #copyTo(target: Layer, wanted: (block: number) => boolean = () => true): Promise<void> {
    const buffer = Buffer.alloc(BLOCK);
    for (const block of this.#blocks.blocks()) {
      if (wanted(block)) {
        await this.read(buffer, block * BLOCK);
        await target.writeBlocks(block, buffer);
      }
    }
  }

  async #open(): Promise<FileHandle> {
    this.#file ??= open(this.#path, 'w+');
    return await this.#file;
  }
}

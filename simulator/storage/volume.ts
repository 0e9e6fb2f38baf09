import type { Layer } from './layer.ts';
import { XapiError } from '../xapi-error.ts';
import { BLOCK } from './block.ts';
import type { SharedLock } from './shared-lock.ts';

/** Hears every block that is written, before the write is acknowledged. */
export type WriteListener = (firstBlock: number, lastBlock: number) => void;

/** The content of one disk at 64 KiB blocks over a chain of layers. */
export class Volume {
  top: Layer;
  sizeBytes: number;
  /** Shared by every volume of one family: what was snapshotted or cloned from the same disk. */
  readonly lock: SharedLock;
  onWrite: WriteListener | undefined;
  /** Destroyed: whoever still reads gets an error, never zeros. */
  gone = false;

  constructor(top: Layer, sizeBytes: number, lock: SharedLock) {
    this.top = top;
    this.sizeBytes = sizeBytes;
    this.lock = lock;
  }

  get blockCount(): number {
    return Math.ceil(this.sizeBytes / BLOCK);
  }

  async read(offset: number, length: number): Promise<Buffer> {
    this.#assertInside(offset, length);
    return await this.lock.shared(async () => {
      this.#assertThere();
      return await this.#readUnlocked(offset, length);
    });
  }

  async write(offset: number, data: Buffer): Promise<void> {
    this.#assertInside(offset, data.length);
    await this.lock.exclusive(async () => {
      this.#assertThere();
      let done = 0;
      while (done < data.length) {
        const position = offset + done;
        const within = position % BLOCK;
        const whole = within === 0 ? Math.floor((data.length - done) / BLOCK) * BLOCK : 0;
        const part = data.subarray(done, done + (whole > 0 ? whole : BLOCK - within));
        await this.#writePart(Math.floor(position / BLOCK), within, part);
        done += part.length;
      }
    });
  }

  /** Whole blocks, or a piece within one block, which keeps what is around it. */
  async #writePart(block: number, within: number, part: Buffer): Promise<void> {
    let content = part;
    if (part.length % BLOCK !== 0) {
      content = Buffer.alloc(BLOCK);
      await this.top.holderOf(block)?.read(content, block * BLOCK);
      part.copy(content, within);
    }
    await this.top.writeBlocks(block, content);
    this.onWrite?.(block, block + content.length / BLOCK - 1);
  }

  async #readUnlocked(offset: number, length: number): Promise<Buffer> {
    const target = Buffer.alloc(length);
    let done = 0;
    while (done < length) {
      const block = Math.floor((offset + done) / BLOCK);
      const holder = this.top.holderOf(block);
      let end = block + 1;
      while (end * BLOCK < offset + length && this.top.holderOf(end) === holder) {
        end += 1;
      }
      const run = Math.min(end * BLOCK, offset + length) - (offset + done);
      await holder?.read(target.subarray(done, done + run), offset + done);
      done += run;
    }
    return target;
  }

  #assertThere(): void {
    if (this.gone) {
      throw new XapiError('VDI_IO_ERROR', ['Device I/O errors']);
    }
  }

  #assertInside(offset: number, length: number): void {
    if (offset < 0 || length < 0 || offset + length > this.sizeBytes) {
      throw new RangeError(`${length} bytes at ${offset} are outside of a disk of ${this.sizeBytes} bytes`);
    }
  }
}

import { abortReason, throwIfAborted } from '../../kernel/abort.ts';

/**
 * Where a buffer's use begins. The C library gives large memory 16 bytes after the beginning of a page; from there on
 * this is the next page, and a store may write from it to a disk directly. Where it isn't, nothing but speed is lost.
 */
const PACK_AT = 4080;

/** What a buffer of the pool is for. */
export function packMemory(buffer: ArrayBuffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer, PACK_AT);
}

/**
 * At most `count` buffers of `bytes` each. What is given back is kept while others are in use, for a buffer's pages cost
 * more to touch anew than to fill; when nothing is in use, nothing is kept.
 */
export class BufferPool {
  readonly #bytes: number;
  readonly #waiting: { resolve(buffer: ArrayBuffer): void }[] = [];
  readonly #spare: ArrayBuffer[] = [];
  readonly #count: number;
  #inUse = 0;

  constructor(count: number, bytes: number) {
    this.#count = count;
    this.#bytes = bytes;
  }

  async acquire(signal: AbortSignal): Promise<ArrayBuffer> {
    throwIfAborted(signal);
    const buffer = this.#take();
    if (buffer !== null) {
      return buffer;
    }
    return new Promise((resolve, reject) => {
      const waiter = {
        resolve: (given: ArrayBuffer) => {
          signal.removeEventListener('abort', abort);
          resolve(given);
        },
      };
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(abortReason(signal));
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.push(waiter);
    });
  }

  /** `buffer`, which nobody may use any more, goes on to others; null where that isn't sure, or it was lost. */
  release(buffer: ArrayBuffer | null): void {
    this.#inUse -= 1;
    if (buffer !== null) {
      this.#spare.push(buffer);
    }
    const waiter = this.#waiting.shift();
    const next = waiter === undefined ? null : this.#take();
    if (waiter !== undefined && next !== null) {
      waiter.resolve(next);
    }
    if (this.#inUse === 0) {
      // Else it would stay until the garbage collector finds it, which knows nothing of other threads' memory.
      this.#spare.splice(0).forEach((spare) => void spare.transfer(0));
    }
  }

  #take(): ArrayBuffer | null {
    if (this.#inUse === this.#count) {
      return null;
    }
    this.#inUse += 1;
    return this.#spare.pop() ?? new ArrayBuffer(PACK_AT + this.#bytes);
  }
}

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

interface Waiter {
  readonly bytes: number;
  resolve(buffer: ArrayBuffer): void;
}

/**
 * Buffers of at most `count` times `largestBytes` together. The largest that are given back are kept while others are in
 * use, for a buffer's pages cost more to touch anew than to fill; when nothing is in use, nothing is kept.
 */
export class BufferPool {
  readonly #largestBytes: number;
  readonly #waiting: Waiter[] = [];
  readonly #spare: ArrayBuffer[] = [];
  readonly #count: number;
  #bytesInUse = 0;

  constructor(count: number, largestBytes: number) {
    this.#count = count;
    this.#largestBytes = largestBytes;
  }

  /** In the order of asking: who wants much is not passed by. */
  async acquire(bytes: number, signal: AbortSignal): Promise<ArrayBuffer> {
    throwIfAborted(signal);
    const buffer = this.#waiting.length === 0 ? this.#take(bytes) : null;
    if (buffer !== null) {
      return buffer;
    }
    return new Promise((resolve, reject) => {
      const waiter = {
        bytes,
        resolve: (given: ArrayBuffer) => {
          signal.removeEventListener('abort', abort);
          resolve(given);
        },
      };
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(abortReason(signal));
        this.#serve();
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.push(waiter);
    });
  }

  /** What nobody may use any more goes on to others. */
  release(buffer: ArrayBuffer): void {
    const { length } = packMemory(buffer);
    if (length === this.#largestBytes) {
      this.#spare.push(buffer);
    } else {
      buffer.transfer(0);
    }
    this.lose(length);
  }

  /** Gives memory back whose buffers are lost, or may still be in use: it is freed when nobody has it any more. */
  lose(bytes: number): void {
    this.#bytesInUse -= bytes;
    this.#serve();
    if (this.#bytesInUse === 0) {
      // Else it would stay until the garbage collector finds it, which knows nothing of other threads' memory.
      this.#spare.splice(0).forEach((spare) => void spare.transfer(0));
    }
  }

  #serve(): void {
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      const buffer = this.#take(first.bytes);
      if (buffer === null) {
        return;
      }
      this.#waiting.shift();
      first.resolve(buffer);
    }
  }

  #take(bytes: number): ArrayBuffer | null {
    if (this.#bytesInUse + bytes > this.#count * this.#largestBytes) {
      return null;
    }
    this.#bytesInUse += bytes;
    const spare = bytes === this.#largestBytes ? this.#spare.pop() : undefined;
    return spare ?? new ArrayBuffer(PACK_AT + bytes);
  }
}

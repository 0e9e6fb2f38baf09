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
 * Buffers of at most `count` times `largestBytes` together. What is given back is kept while others are in use, for a
 * buffer's pages cost more to touch anew than to fill; it makes way for other sizes, and when nothing is in use, nothing is
 * kept.
 */
export class BufferPool {
  readonly #budgetBytes: number;
  readonly #waiting: Waiter[] = [];
  readonly #spare: ArrayBuffer[] = [];
  #bytesInUse = 0;

  constructor(count: number, largestBytes: number) {
    this.#budgetBytes = count * largestBytes;
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
    this.#spare.push(buffer);
    this.lose(packMemory(buffer).length);
  }

  /** Gives memory back whose buffers are lost, or may still be in use: it is freed when nobody has it any more. */
  lose(bytes: number): void {
    this.#bytesInUse -= bytes;
    this.#serve();
    if (this.#bytesInUse === 0) {
      // Else it would stay until the garbage collector finds it, which knows nothing of other threads' memory.
      this.#shrink(0);
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
    if (this.#bytesInUse + bytes > this.#budgetBytes) {
      return null;
    }
    this.#bytesInUse += bytes;
    const at = this.#spare.findIndex((spare) => packMemory(spare).length === bytes);
    const [spare] = at < 0 ? [] : this.#spare.splice(at, 1);
    this.#shrink(this.#budgetBytes - this.#bytesInUse);
    return spare ?? new ArrayBuffer(PACK_AT + bytes);
  }

  /** Frees what was kept longest until no more than this is kept. */
  #shrink(bytes: number): void {
    let kept = this.#spare.reduce((sum, spare) => sum + packMemory(spare).length, 0);
    for (let [oldest] = this.#spare; oldest !== undefined && kept > bytes; [oldest] = this.#spare) {
      kept -= packMemory(oldest).length;
      this.#spare.shift();
      oldest.transfer(0);
    }
  }
}

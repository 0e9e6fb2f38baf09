import { abortReason, throwIfAborted } from '../../kernel/abort.ts';

/**
 * At most `count` buffers of `bytes` each. What is given back is freed at once and made anew when it is needed: fresh
 * memory takes up room only as far as it has been filled, which a used buffer does whole. Packs fill slowly, so that
 * this saves about a buffer, and costs the zeroing of its pages.
 */
export class BufferPool {
  readonly #bytes: number;
  readonly #waiting: { resolve(buffer: ArrayBuffer): void }[] = [];
  #unmade: number;

  constructor(count: number, bytes: number) {
    this.#unmade = count;
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

  /** `buffer`, which nobody may use any more, is freed; null where that isn't sure, or it was lost with its worker. */
  release(buffer: ArrayBuffer | null): void {
    // Else it would stay until the garbage collector finds it, which knows nothing of other threads' memory.
    buffer?.transfer(0);
    this.#unmade += 1;
    const waiter = this.#waiting.shift();
    const next = waiter === undefined ? null : this.#take();
    if (waiter !== undefined && next !== null) {
      waiter.resolve(next);
    }
  }

  #take(): ArrayBuffer | null {
    if (this.#unmade === 0) {
      return null;
    }
    this.#unmade -= 1;
    return new ArrayBuffer(this.#bytes);
  }
}

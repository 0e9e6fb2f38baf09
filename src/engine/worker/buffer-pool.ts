import { abortReason, throwIfAborted } from '../../kernel/abort.ts';

/** At most `count` buffers of `bytes` each, made when first needed and used again. */
export class BufferPool {
  readonly #bytes: number;
  readonly #free: ArrayBuffer[] = [];
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

  /** `buffer` is null where the memory itself was lost, with a write that was given up. */
  release(buffer: ArrayBuffer | null): void {
    if (buffer === null || buffer.byteLength !== this.#bytes) {
      this.#unmade += 1;
    } else {
      this.#free.push(buffer);
    }
    const waiter = this.#waiting.shift();
    const next = waiter === undefined ? null : this.#take();
    if (waiter !== undefined && next !== null) {
      waiter.resolve(next);
    }
  }

  #take(): ArrayBuffer | null {
    const free = this.#free.pop();
    if (free !== undefined) {
      return free;
    }
    if (this.#unmade === 0) {
      return null;
    }
    this.#unmade -= 1;
    return new ArrayBuffer(this.#bytes);
  }
}

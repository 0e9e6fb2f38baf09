import { randomInt } from 'node:crypto';
import { throwIfAborted } from '../../kernel/abort.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { readFault, toS3StoreError, type S3Attempted } from './s3-errors.ts';

/** How long to try before an object store counts as unreachable. Times in milliseconds. */
export interface S3Patience {
  /** Tries of one request, the first one included. */
  readonly attempts: number;
  /** The pause before the second try is up to this long; it doubles from try to try … */
  readonly firstPauseMs: number;
  /** … up to this. */
  readonly longestPauseMs: number;
  readonly connectMs: number;
  /** A connection on which nothing moves for this long is given up. */
  readonly idleMs: number;
  /** A try is given up after `idleMs` and the time that its bytes take at this rate. */
  readonly slowestBytesPerSecond: number;
}

export const USUAL_PATIENCE: S3Patience = {
  attempts: 8,
  firstPauseMs: 200,
  longestPauseMs: 15_000,
  connectMs: 10_000,
  idleMs: 30_000,
  slowestBytesPerSecond: 128 * 1024,
};

export interface S3Request<T> extends Omit<S3Attempted, 'attempts' | 'place'> {
  /** How many bytes go to and fro, beside headers. */
  readonly bytes: number;
  readonly signal?: AbortSignal | undefined;
  /** One try. It ends when its signal is aborted. */
  readonly attempt: (signal: AbortSignal) => Promise<T>;
}

/** Tries requests again while what fails may pass; each try has a deadline, and pauses differ between clients. */
export class S3Attempts {
  readonly #place: string;
  readonly #patience: S3Patience;
  readonly #clock: Clock;

  constructor(place: string, patience: S3Patience, clock: Clock) {
    this.#place = place;
    this.#patience = patience;
    this.#clock = clock;
  }

  async run<T>(request: S3Request<T>): Promise<T> {
    for (let attempts = 1; ; attempts += 1) {
      throwIfAborted(request.signal);
      try {
        return await this.#once(request);
      } catch (error) {
        throwIfAborted(request.signal);
        const { passing, retryAfterMs } = readFault(error);
        if (error instanceof AppError || !passing || attempts === this.#patience.attempts) {
          throw toS3StoreError(error, { what: request.what, action: request.action, place: this.#place, attempts });
        }
        await this.#pause(attempts, retryAfterMs ?? 0, request.signal);
      }
    }
  }

  async #once<T>({ bytes, signal, attempt }: S3Request<T>): Promise<T> {
    const deadline = new AbortController();
    const { idleMs, slowestBytesPerSecond } = this.#patience;
    const timer = setTimeout(() => deadline.abort(), idleMs + (bytes / slowestBytesPerSecond) * 1000);
    try {
      return await attempt(signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]));
    } finally {
      clearTimeout(timer);
    }
  }

  async #pause(attempts: number, atLeastMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { firstPauseMs, longestPauseMs } = this.#patience;
    const most = Math.min(firstPauseMs * 2 ** (attempts - 1), longestPauseMs);
    try {
      await this.#clock.sleep(atLeastMs + randomInt(Math.ceil(most) + 1), signal);
    } catch (error) {
      throwIfAborted(signal);
      throw error;
    }
  }
}

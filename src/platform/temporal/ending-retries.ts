import { setTimeout as delay } from 'node:timers/promises';
import { defaultGrpcRetryOptions, type GrpcRetryOptions } from '@temporalio/client';

const A_MOMENT_MS = 50;

/**
 * The client's usual retries, until they are ended. A retry that comes due on a closed connection throws where nobody
 * can catch it, and takes the process along: a connection may be closed only once none is waiting any more.
 */
export class EndingRetries implements GrpcRetryOptions {
  readonly #usual = defaultGrpcRetryOptions();
  #ending = false;
  #lastDue = 0;

  readonly retryableDecider: GrpcRetryOptions['retryableDecider'] = (attempt, status) =>
    !this.#ending && this.#usual.retryableDecider(attempt, status);

  readonly delayFunction: GrpcRetryOptions['delayFunction'] = (attempt, status) => {
    const ms = this.#usual.delayFunction(attempt, status);
    this.#lastDue = Math.max(this.#lastDue, performance.now() + ms);
    return ms;
  };

  /** Resolves when no retry is waiting, and none will be; seconds, where Temporal is away. */
  async end(): Promise<void> {
    this.#ending = true;
    const left = this.#lastDue - performance.now();
    if (left > 0) {
      await delay(left + A_MOMENT_MS);
    }
  }
}

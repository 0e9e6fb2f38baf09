import { Wake } from './wake.ts';

/** What everyone who waits for news of this installation is woken by. It carries nothing: the rows are the truth. */
export const FEED_CHANNEL = 'holdfast_feed';

/**
 * Wakes this process's subscribers. A subscriber reads its own rows, in its own scope, each time; a wake more costs it
 * one look, a wake less is made good by `pollMs`.
 */
export class Feed {
  readonly #subscribers = new Set<Wake>();
  readonly #closing = new AbortController();
  readonly #pollMs: number;

  constructor(pollMs = 5_000) {
    this.#pollMs = pollMs;
  }

  /** How many listen at the moment. */
  get size(): number {
    return this.#subscribers.size;
  }

  /** Something moved, or may have. */
  wake(): void {
    for (const subscriber of this.#subscribers) {
      subscriber.ring();
    }
  }

  /** Aborted when the process shuts down: streams end, and their clients come back to another process. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  close(): void {
    this.#closing.abort();
  }

  /** Yields at once, then after each wake or poll, until the signal is aborted or the consumer leaves. */
  async *looks(until: AbortSignal): AsyncGenerator<void> {
    const signal = AbortSignal.any([until, this.closing]);
    const subscriber = new Wake();
    this.#subscribers.add(subscriber);
    try {
      while (!signal.aborted) {
        yield;
        await subscriber.wait(this.#pollMs, signal);
      }
    } finally {
      this.#subscribers.delete(subscriber);
    }
  }
}

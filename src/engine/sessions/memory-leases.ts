import type { Clock } from '../../kernel/clock.ts';
import { LEASE_TIMEOUT_MS, type LeaseId, type Leases } from '../ports/leases.ts';

/**
 * Leases as one process can judge them by itself, for tests and tools. Of a lease that it never saw renewed it can't know
 * whether somebody else renews it: that one counts as renewed when it was first asked about.
 */
export class MemoryLeases implements Leases {
  readonly #clock: Clock;
  readonly #beats = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async beat(lease: LeaseId): Promise<void> {
    this.#beats.set(key(lease), this.#clock.monotonic());
  }

  async isAlive(lease: LeaseId): Promise<boolean> {
    const now = this.#clock.monotonic();
    const last = this.#beats.get(key(lease)) ?? now;
    this.#beats.set(key(lease), last);
    return now - last < LEASE_TIMEOUT_MS;
  }

  async release(lease: LeaseId): Promise<void> {
    this.#beats.delete(key(lease));
  }
}

function key({ repositoryId, sessionId }: LeaseId): string {
  return `${repositoryId}/${sessionId}`;
}

import type { Clock } from '../../kernel/clock.ts';
import { LEASE_TIMEOUT_MS, type LeaseId, type Leases } from '../ports/leases.ts';

/** Leases of one process, for tests and tools. */
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
    const last = this.#beats.get(key(lease));
    return last !== undefined && this.#clock.monotonic() - last < LEASE_TIMEOUT_MS;
  }

  async release(lease: LeaseId): Promise<void> {
    this.#beats.delete(key(lease));
  }
}

function key({ repositoryId, sessionId }: LeaseId): string {
  return `${repositoryId}/${sessionId}`;
}

import type { LeaseId } from '../ports/leases.ts';
import { MemoryLeases } from '../sessions/memory-leases.ts';

/** For whoever knows that no other process is alive: whatever was not begun here is dead. */
export class LoneLeases extends MemoryLeases {
  readonly #own = new Set<string>();

  override async beat(lease: LeaseId): Promise<void> {
    this.#own.add(lease.sessionId);
    await super.beat(lease);
  }

  override async isAlive(lease: LeaseId): Promise<boolean> {
    return this.#own.has(lease.sessionId) && (await super.isAlive(lease));
  }
}

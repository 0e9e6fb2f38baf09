import type { KeyRing } from '../engine/index.ts';
import type { MoverPort } from '../movers/port.ts';

/** Injection tokens: what the composition root decides. */
export const MOVER = Symbol('MOVER');
export const KEY_RING = Symbol('KEY_RING');
export const TASK_QUEUE_PREFIX = Symbol('TASK_QUEUE_PREFIX');

/** Injection token of `PolledQueues`. */
export const POLLED_QUEUES = Symbol('POLLED_QUEUES');

/** What a process takes work from. */
export interface PolledQueues {
  /** Workflows, and what needs the database alone. */
  readonly control: boolean;
  /** What touches pools and vaults: of every site, of these, by their UUIDs, or of none. */
  readonly sites: 'all' | readonly string[];
}

export type { KeyRing, MoverPort };

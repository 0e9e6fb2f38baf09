import type { KeyRing } from '../engine/index.ts';
import type { MoverPort } from '../movers/port.ts';

/** Injection tokens: what the composition root decides. */
export const MOVER = Symbol('MOVER');
export const KEY_RING = Symbol('KEY_RING');
export const TASK_QUEUE_PREFIX = Symbol('TASK_QUEUE_PREFIX');

export type { KeyRing, MoverPort };

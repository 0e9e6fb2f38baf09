import type { Fault, StoreRequest } from './failed-request.ts';

/** When what was asked for happens, whose sender hears of an error: never, at once, or at some time after that. */
export type Effect = 'never' | 'done' | 'late';

/** Errors of stores, with the requests that can meet them, and what may have become of these. */
export interface FaultKind {
  readonly fault: Fault;
  readonly requests: readonly StoreRequest[];
  /** Of changes; what can't be had of a read is just that. */
  readonly effects: readonly Effect[];
  /** Whether it is of one object, as of a sector, or of the way to the store. */
  readonly isOfObject?: boolean;
}

export const READS: readonly StoreRequest[] = ['get', 'range', 'head', 'list'];
const WRITES: readonly StoreRequest[] = ['put', 'delete'];
const ALL: readonly StoreRequest[] = [...READS, ...WRITES];
const OPENING: readonly StoreRequest[] = ['get', 'range', 'list', 'put', 'flush'];

/** Of each request the first one is an error of the disk itself. */
export const FAULT_KINDS: readonly FaultKind[] = [
  // A sector that is read at the next try, or a disk behind a bad cable.
  { fault: { errno: 'EIO' }, requests: ['get', 'range', 'head'], effects: ['never'], isOfObject: true },
  { fault: { errno: 'EIO' }, requests: [...WRITES, 'list', 'flush'], effects: ['never', 'done'] },
  // What was written aside is removed after the name was given.
  { fault: { errno: 'EROFS' }, requests: [...WRITES, 'flush'], effects: ['never', 'done'] },
  { fault: { errno: 'EACCES' }, requests: ALL, effects: ['never'] },
  { fault: { errno: 'ENOSPC' }, requests: ['put'], effects: ['never'] },
  { fault: { errno: 'EDQUOT' }, requests: ['put'], effects: ['never'] },
  { fault: { errno: 'EMFILE' }, requests: OPENING, effects: ['never'] },
  { fault: { errno: 'ETIMEDOUT' }, requests: [...ALL, 'flush'], effects: ['never', 'done', 'late'] },
  { fault: { errno: 'ESTALE' }, requests: [...ALL, 'flush'], effects: ['never', 'done'] },
  { fault: { reason: 'SlowDown', status: 503 }, requests: ALL, effects: ['never'] },
  { fault: { reason: 'InternalError', status: 500 }, requests: ALL, effects: ['never', 'done', 'late'] },
  { fault: { reason: 'ECONNRESET', status: null }, requests: ALL, effects: ['never', 'done', 'late'] },
  // The tries before the last one may have been answered by nobody.
  { fault: { reason: 'AccessDenied', status: 403 }, requests: ALL, effects: ['never', 'done'] },
  { fault: { reason: 'QuotaExceeded', status: 403 }, requests: ['put'], effects: ['never'] },
];

import type { UsageWindow } from './measure-window.ts';

/** The window that begins at `start`: it ends where the clock next comes to a multiple of the length. */
export function windowFrom(start: Date, lengthMs: number): UsageWindow {
  return { start, end: new Date(floorTo(start.getTime(), lengthMs) + lengthMs) };
}

/** Where the first window of somebody who is there since `since` begins. */
export function firstStart(since: Date, lengthMs: number): Date {
  return new Date(floorTo(since.getTime(), lengthMs));
}

/** Everything before this may be closed: windows that ended at least the grace ago. */
export function closableUntil(now: number, lengthMs: number, graceMs: number): Date {
  return new Date(floorTo(now - graceMs, lengthMs));
}

function floorTo(ms: number, lengthMs: number): number {
  return Math.floor(ms / lengthMs) * lengthMs;
}

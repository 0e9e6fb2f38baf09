import { firstPast } from './first-past.ts';
import type { RechunkWindow } from './rechunk.ts';

/** Half-open, in blocks of one segment. */
export interface BlockRun {
  readonly start: number;
  readonly end: number;
}

export interface OldChunk extends BlockRun {
  readonly isHole: boolean;
}

/**
 * What to load and cut again for ascending dirty runs: from the start of the old chunk before each run to the end of
 * the one that holds its last block. The block before a run counts too, because a cut looks one block ahead.
 */
export function planWindows(dirty: readonly BlockRun[], old: readonly OldChunk[], limit: number): RechunkWindow[] {
  const windows: RechunkWindow[] = [];
  for (const run of dirty) {
    const first = Math.max(0, run.start - 1);
    const dirtyEnd = Math.min(run.end, limit);
    const before = old[firstPast(old, first)];
    const start = Math.min(before?.start ?? first, first);
    const kept = before?.end === run.start ? run.start : start;
    const last = firstPast(old, dirtyEnd - 1);
    const end = Math.min(old[last]?.end ?? limit, limit);
    const zeroAfter = old[last + 1]?.isHole ?? false;
    const previous = windows.at(-1);
    if (previous !== undefined && start < previous.end) {
      windows[windows.length - 1] = { ...previous, end, zeroAfter };
    } else {
      windows.push({ start, kept, end, zeroAfter });
    }
  }
  return windows;
}

/** The window that goes on with an open chunk: as before, with one more old chunk at its end. */
export function extendWindow(
  window: RechunkWindow,
  start: number,
  old: readonly OldChunk[],
  limit: number,
): RechunkWindow {
  const next = firstPast(old, window.end);
  const end = Math.min(old[next]?.end ?? limit, limit);
  return { start, kept: start, end, zeroAfter: old[next + 1]?.isHole ?? false };
}

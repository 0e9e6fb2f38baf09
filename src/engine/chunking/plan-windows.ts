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
  let at = 0;
  for (const run of dirty) {
    const first = Math.max(0, run.start - 1);
    const dirtyEnd = Math.min(run.end, limit);
    at = skipTo(old, at, first);
    const start = Math.min(old[at]?.start ?? first, first);
    const last = skipTo(old, at, dirtyEnd - 1);
    const end = Math.min(Math.max(old[last]?.end ?? limit, dirtyEnd), limit);
    const zeroAfter = old[last + 1]?.isHole ?? false;
    const previous = windows.at(-1);
    if (previous !== undefined && start < previous.end) {
      windows[windows.length - 1] = { start: previous.start, end: Math.max(end, previous.end), dirtyEnd, zeroAfter };
    } else {
      windows.push({ start, end, dirtyEnd, zeroAfter });
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
  const next = skipTo(old, 0, window.end);
  return {
    start,
    end: Math.min(old[next]?.end ?? limit, limit),
    dirtyEnd: window.dirtyEnd,
    zeroAfter: old[next + 1]?.isHole ?? false,
  };
}

function skipTo(old: readonly OldChunk[], from: number, block: number): number {
  let at = from;
  while (at < old.length && (old[at]?.end ?? 0) <= block) {
    at += 1;
  }
  return at;
}

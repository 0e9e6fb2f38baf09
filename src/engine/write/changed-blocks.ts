import type { BlockRun } from '../chunking/plan-windows.ts';

/** Sorted; those that overlap or touch become one; empty ones are gone. */
export function mergeRuns(runs: readonly BlockRun[]): BlockRun[] {
  const merged: BlockRun[] = [];
  for (const run of runs.filter(({ start, end }) => start < end).toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && run.start <= last.end) {
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, run.end) };
    } else {
      merged.push(run);
    }
  }
  return merged;
}

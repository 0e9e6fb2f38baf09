import type { BlockRun } from './plan-windows.ts';

/** What is left of ascending runs without some others, which are ascending too. */
export function leaveOut(runs: readonly BlockRun[], without: readonly BlockRun[]): BlockRun[] {
  const left: BlockRun[] = [];
  for (const { start, end } of runs) {
    let at = start;
    for (const gap of without) {
      if (gap.end > at && gap.start < end) {
        left.push({ start: at, end: gap.start });
        at = gap.end;
      }
    }
    left.push({ start: at, end });
  }
  return left.filter((run) => run.start < run.end);
}

import type { BlockRun } from './plan-windows.ts';

/** Of ascending runs that are apart or touch, the index of the first that ends past a block; their count if none does. */
export function firstPast(runs: readonly BlockRun[], block: number): number {
  let low = 0;
  for (let high = runs.length; low < high;) {
    const middle = (low + high) >> 1;
    if ((runs[middle]?.end ?? 0) > block) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

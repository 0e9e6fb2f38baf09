import { firstIndex } from '../../kernel/first-index.ts';
import type { BlockRun } from './plan-windows.ts';

/** Of ascending runs that are apart or touch, the index of the first that ends past a block; their count if none does. */
export function firstPast(runs: readonly BlockRun[], block: number): number {
  return firstIndex(runs.length, (index) => (runs[index]?.end ?? 0) > block);
}

import { firstPast } from '../chunking/first-past.ts';
import { leaveOut } from '../chunking/leave-out.ts';
import type { BlockRun } from '../chunking/plan-windows.ts';
import type { PlacedEntry } from '../manifest/segment-table.ts';
import { mergeRuns } from './changed-blocks.ts';

/** Blocks of a segment that are cut again, and what they consist of. */
export interface Stretch extends BlockRun {
  /** What is read from the source or the vault; ascending and apart. */
  readonly filled: readonly BlockRun[];
  /** The rest: known to be zeros. */
  readonly holes: readonly BlockRun[];
}

interface Contents {
  /** Empty when the segment is read whole. */
  readonly old: readonly PlacedEntry[];
  /** Ascending and apart. */
  readonly dirty: readonly BlockRun[];
}

export function stretchOf({ old, dirty }: Contents, { start, end }: BlockRun): Stretch {
  const run = { start, end };
  const kept = within(old, run).filter((chunk) => !chunk.isHole);
  const filled = old.length === 0 ? [run] : mergeRuns([...clip(dirty, run), ...clip(kept, run)]);
  return { start, end, filled, holes: leaveOut([run], filled) };
}

/** Of ascending runs those that have blocks of another one. */
export function within<T extends BlockRun>(runs: readonly T[], { start, end }: BlockRun): T[] {
  return runs.slice(firstPast(runs, start), firstPast(runs, end - 1) + 1).filter((run) => run.start < end);
}

/** Of ascending runs the parts that another one has. */
export function clip(runs: readonly BlockRun[], { start, end }: BlockRun): BlockRun[] {
  return within(runs, { start, end }).map((run) => ({
    start: Math.max(run.start, start),
    end: Math.min(run.end, end),
  }));
}

/** The beginning of a hole that a chunk which begins before it can have part of: `minBlocks`, a chunk's least length. */
export function beginningOf({ start, end }: BlockRun, minBlocks: number): BlockRun {
  return { start, end: Math.min(end, start + minBlocks) };
}

/** What must lie in one piece for its chunks to do so: holes divide it, if they are longer than their beginning. */
export function piecesOf(
  { start, end, holes }: Pick<Stretch, 'start' | 'end' | 'holes'>,
  minBlocks: number,
): BlockRun[] {
  const pieces: BlockRun[] = [];
  let at = start;
  for (const hole of holes) {
    const beginning = beginningOf(hole, minBlocks);
    if (beginning.end < hole.end) {
      pieces.push({ start: at, end: beginning.end });
      at = hole.end;
    }
  }
  return at < end ? [...pieces, { start: at, end }] : pieces;
}

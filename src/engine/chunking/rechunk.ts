import { findCut, isZeroBlock, type BlockHashes, type CutRules } from './cutter.ts';

/**
 * Part of a segment, in blocks, that is cut again. Starts and ends at cuts of the old table, or at the segment's ends;
 * its end is the first such cut behind its last dirty block: where a new cut meets it, all further ones are the old ones.
 */
export interface RechunkWindow {
  readonly start: number;
  /** End of the old chunk that it starts with, if no block of that is dirty: where a new cut meets it, the chunk stays. */
  readonly kept: number;
  readonly end: number;
  /** Whether the old chunk that begins at `end` is a hole. */
  readonly zeroAfter: boolean;
}

export interface CutChunk {
  readonly start: number;
  readonly end: number;
  readonly isHole: boolean;
}

/** New chunks that replace what the old table said about blocks `start` to `end`. */
export interface CutRun {
  start: number;
  end: number;
  readonly chunks: CutChunk[];
}

export interface RechunkResult {
  readonly runs: CutRun[];
  /** The chunk that starts at `start` goes on past window `window`: load more of the segment and go on from there. */
  readonly open: { readonly window: number; readonly start: number } | null;
}

export interface RechunkInput {
  readonly hashes: BlockHashes;
  readonly limit: number;
  /** Ascending and apart from each other, or touching. */
  readonly windows: readonly RechunkWindow[];
  readonly rules: CutRules;
}

/** Cuts each window until a cut coincides with its end. */
export function rechunk({ windows, hashes, limit, rules }: RechunkInput): RechunkResult {
  const runs: CutRun[] = [];
  let index = 0;
  while (index < windows.length) {
    let window = windows[index] as RechunkWindow;
    const run: CutRun = { start: window.start, end: window.start, chunks: [] };
    runs.push(run);
    while (run.end < window.end) {
      const known = { limit, available: window.end, zeroAfter: window.zeroAfter };
      const end = findCut(hashes, run.end, known, rules);
      const next = windows[index + 1];
      if (end === window.kept && run.end === window.start && run.chunks.length === 0) {
        run.start = end;
        run.end = end;
      } else if (end >= 0) {
        run.chunks.push({ start: run.end, end, isHole: isZeroBlock(hashes, run.end) });
        run.end = end;
      } else if (next?.start === window.end) {
        index += 1;
        window = next;
      } else {
        return { runs, open: { window: index, start: run.end } };
      }
    }
    index += 1;
  }
  return { runs, open: null };
}

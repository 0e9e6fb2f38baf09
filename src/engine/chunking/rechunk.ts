import { findCut, isZeroBlock, type BlockHashes, type CutRules } from './cutter.ts';

/** Part of a segment, in blocks, that is cut again. Starts and ends at cuts of the old table, or at the segment's ends. */
export interface RechunkWindow {
  readonly start: number;
  readonly end: number;
  /** End of the last dirty block in it: from here on an old cut ends the work. */
  readonly dirtyEnd: number;
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
  readonly start: number;
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
  readonly oldCuts: ReadonlySet<number>;
  readonly rules: CutRules;
}

/** Cuts each window until a cut coincides with an old one at or past the end of what is dirty in it. */
export function rechunk(input: RechunkInput): RechunkResult {
  const { windows, hashes, limit, oldCuts, rules } = input;
  const runs: CutRun[] = [];
  let index = 0;
  while (index < windows.length) {
    let window = windows[index] as RechunkWindow;
    const run: CutRun = { start: window.start, end: window.start, chunks: [] };
    runs.push(run);
    while (run.end < limit && !(run.end >= window.dirtyEnd && oldCuts.has(run.end))) {
      const known = { limit, available: window.end, zeroAfter: window.zeroAfter };
      const end = run.end < window.end ? findCut(hashes, run.end, known, rules) : -1;
      const next = windows[index + 1];
      if (end >= 0) {
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

import type { IndexRange } from './index-segment-builder.ts';

/** How many segments of about one size make a larger one. */
const FAN_OUT = 4;
/** Segments below this are all of the smallest tier. */
const SMALLEST_TIER = 4096;
/** Leaves room for ranges that are a little fuller than others. */
const FILL = 0.75;

export interface MergeCandidate extends IndexRange {
  readonly entries: number;
}

export interface MergePlan<T extends MergeCandidate> {
  readonly inputs: readonly T[];
  /** Bits of the ranges that the result is divided into: as those of the inputs, or more. */
  readonly bits: number;
}

/**
 * The next segments to become one, or several of neighbouring ranges: as soon as a tier of a range has four. Every entry
 * is written again once a tier, and a digest may be in at most three segments of each.
 */
export function planMerge<T extends MergeCandidate>(segments: readonly T[], maxEntries: number): MergePlan<T> | null {
  const ranges = Map.groupBy(segments, ({ bits, prefix }) => `${bits}/${prefix}`);
  for (const inRange of ranges.values()) {
    const tiers = Map.groupBy(inRange, ({ entries }) => tierOf(entries));
    const full = [...tiers].filter(([, members]) => members.length >= FAN_OUT).map(([tier]) => tier);
    if (full.length > 0) {
      const tier = Math.min(...full);
      const inputs = inRange.filter(({ entries }) => tierOf(entries) <= tier);
      return { inputs, bits: bitsFor(inputs, maxEntries) };
    }
  }
  return null;
}

function tierOf(entries: number): number {
  return entries < SMALLEST_TIER ? 0 : 1 + Math.floor(Math.log(entries / SMALLEST_TIER) / Math.log(FAN_OUT));
}

function bitsFor(inputs: readonly MergeCandidate[], maxEntries: number): number {
  const total = inputs.reduce((sum, { entries }) => sum + entries, 0);
  const parts = total / (maxEntries * FILL);
  return (inputs[0]?.bits ?? 0) + Math.max(0, Math.ceil(Math.log2(parts)));
}

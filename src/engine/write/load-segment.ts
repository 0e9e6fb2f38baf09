import { settleAll } from '../../kernel/settle-all.ts';
import type { BlockRun } from '../chunking/plan-windows.ts';
import type { SegmentDone } from '../worker/protocol.ts';
import { mergeRuns } from './changed-blocks.ts';
import type { SegmentSource } from './segment-source.ts';
import { SlotLayout } from './slot-layout.ts';
import { piecesOf, stretchOf } from './stretch.ts';
import { goOn, type SegmentPlan } from './write-plan.ts';

/** What is to be done with the segment in a slot, where it lies, and which blocks are zeros without being all there. */
export interface LoadedSegment {
  readonly plan: SegmentPlan;
  readonly layout: SlotLayout;
  readonly zeros: readonly BlockRun[];
}

/** Brings the windows of a segment into a slot. */
export async function loadSegment(source: SegmentSource, plan: SegmentPlan, slot: Uint8Array): Promise<LoadedSegment> {
  const { minChunkBlocks, segmentBlocks } = source.geometry;
  const stretches = mergeRuns(plan.windows).map((run) => stretchOf(plan, run));
  const pieces = stretches.flatMap((stretch) => piecesOf(stretch, minChunkBlocks));
  const layout = SlotLayout.of(pieces, segmentBlocks);
  await settleAll(stretches.map((stretch) => source.load(stretch, plan, { memory: slot, layout })));
  return { plan, layout, zeros: stretches.flatMap(({ holes }) => holes) };
}

/** The chunk at `open.start` goes on past what was loaded of its window. */
export async function loadMore(
  source: SegmentSource,
  { plan, layout, zeros }: LoadedSegment,
  open: NonNullable<SegmentDone['open']>,
  slot: Uint8Array,
): Promise<LoadedSegment> {
  const { blockBytes, minChunkBlocks } = source.geometry;
  const left = goOn(plan, open);
  const start = plan.windows[open.window]?.end ?? plan.limit;
  const end = left.windows[0]?.end ?? plan.limit;
  const more = stretchOf(plan, { start, end });
  // A chunk that is not in one piece up to here is a hole, and need not be.
  const there = { start: layout.holds({ start: open.start, end: start }) ? open.start : start, end: start };
  const pieces = piecesOf({ start: there.start, end, holes: more.holes }, minChunkBlocks);
  const grown = layout.grow(pieces, there);
  if (grown === null) {
    return loadSegment(source, left, slot);
  }
  for (const { from, to, blocks } of grown.moves) {
    slot.copyWithin(to * blockBytes, from * blockBytes, (from + blocks) * blockBytes);
  }
  await source.load(more, plan, { memory: slot, layout: grown.layout });
  return { plan: left, layout: grown.layout, zeros: [...zeros, ...more.holes] };
}

import { settleAll } from '../../kernel/settle-all.ts';
import type { BlockRun } from '../chunking/plan-windows.ts';
import type { SegmentDone } from '../worker/protocol.ts';
import type { SegmentSource } from './segment-source.ts';
import { SlotLayout } from './slot-layout.ts';
import { goOn, type SegmentPlan } from './write-plan.ts';

/** What is to be done with the segment in a slot, where it lies, and which blocks are zeros without being all there. */
export interface LoadedSegment {
  readonly plan: SegmentPlan;
  readonly layout: SlotLayout;
  readonly zeros: readonly BlockRun[];
}

/** Brings the windows of a segment into a slot. */
export function loadSegment(source: SegmentSource, plan: SegmentPlan, slot: Uint8Array): Promise<LoadedSegment> {
  return loadWindows(source, plan, SlotLayout.of(plan.windows, source.slotBlocks), slot);
}

async function loadWindows(
  source: SegmentSource,
  plan: SegmentPlan,
  layout: SlotLayout,
  slot: Uint8Array,
): Promise<LoadedSegment> {
  const { segment, old, dirty } = plan;
  const loads = plan.windows.map(({ start, end }) =>
    source.load({ segment, shift: layout.shiftAt(start), start, end, old, dirty }, slot),
  );
  return { plan, layout, zeros: (await settleAll(loads)).flat() };
}

/** The chunk at `open.start` goes on past what was loaded of its window. */
export async function loadMore(
  source: SegmentSource,
  { plan, layout, zeros }: LoadedSegment,
  open: NonNullable<SegmentDone['open']>,
  slot: Uint8Array,
): Promise<LoadedSegment> {
  const left = goOn(plan, open);
  if (!layout.holds(left.windows)) {
    return loadWindows(source, left, SlotLayout.asInSegment(), slot);
  }
  const { segment, old, dirty, limit } = plan;
  const start = plan.windows[open.window]?.end ?? limit;
  const end = left.windows[0]?.end ?? limit;
  const more = await source.load({ segment, shift: layout.shiftAt(open.start), start, end, old, dirty }, slot);
  return { plan: left, layout, zeros: [...zeros, ...more] };
}

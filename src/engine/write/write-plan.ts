import { extendWindow, planWindows, type BlockRun } from '../chunking/plan-windows.ts';
import type { RechunkWindow } from '../chunking/rechunk.ts';
import type { DiskGeometry } from '../disk-geometry.ts';
import type { ManifestReader } from '../manifest/manifest-reader.ts';
import type { ChangeMap } from './change-map.ts';
import { placeEntries, type PlacedEntry } from '../manifest/segment-table.ts';

/** What is to be done with one segment. */
export interface SegmentPlan {
  readonly segment: number;
  readonly limit: number;
  readonly windows: readonly RechunkWindow[];
  readonly dirty: readonly BlockRun[];
  /** Empty where there is nothing to compare with. */
  readonly old: readonly PlacedEntry[];
}

/** How a disk is written: which segments, and what of them. */
export interface WritePlan {
  readonly geometry: DiskGeometry;
  /** Ascending. */
  readonly segments: readonly number[];
  /** Bytes that the change list names, or the disk's size. */
  readonly bytesChanged: number;
  planSegment(segment: number): Promise<SegmentPlan>;
}

export function planFull(geometry: DiskGeometry): WritePlan {
  return {
    geometry,
    segments: Array.from({ length: geometry.segmentCount }, (_, segment) => segment),
    bytesChanged: geometry.sizeBytes,
    planSegment: async (segment) => wholeSegment(segment, geometry.blocksIn(segment)),
  };
}

export function planDelta(geometry: DiskGeometry, base: ManifestReader, changes: ChangeMap): WritePlan {
  return {
    geometry,
    segments: changes.segments,
    bytesChanged: changes.bytes,
    planSegment: async (segment) => {
      const limit = geometry.blocksIn(segment);
      const old = placeEntries(await base.segment(segment));
      const dirty = changes.runs(segment);
      return old.length === 0
        ? wholeSegment(segment, limit)
        : { segment, limit, dirty, old, windows: planWindows(dirty, old, limit) };
    },
  };
}

function wholeSegment(segment: number, limit: number): SegmentPlan {
  const windows = [{ start: 0, kept: 0, end: limit, zeroAfter: false }];
  return { segment, limit, windows, dirty: [{ start: 0, end: limit }], old: [] };
}

/** What is left of a plan when the chunk at `start` goes on past one of its windows; and what must be loaded for it. */
export function goOn(plan: SegmentPlan, open: { readonly window: number; readonly start: number }): SegmentPlan {
  const [first, ...rest] = plan.windows.slice(open.window);
  if (first === undefined) {
    throw new RangeError(`window ${open.window} of ${plan.windows.length}`);
  }
  return { ...plan, windows: [extendWindow(first, open.start, plan.old, plan.limit), ...rest] };
}

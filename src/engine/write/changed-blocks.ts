import type { BlockRun } from '../chunking/plan-windows.ts';
import type { DiskGeometry } from '../disk-geometry.ts';
import type { ByteRange } from '../types.ts';

/** Dirty blocks of each segment that has any: ascending, apart from each other, counted within the segment. */
export type DirtySegments = ReadonlyMap<number, readonly BlockRun[]>;

/**
 * Rounds a change list to blocks and divides it by segments. A disk that grew or shrank since is dirty from the last
 * block that both sizes have to its end.
 */
export function toDirtySegments(
  changed: readonly ByteRange[],
  geometry: DiskGeometry,
  baseSizeBytes: number,
): DirtySegments {
  const { blockBytes, segmentBytes, sizeBytes } = geometry;
  const blocks = Math.ceil(sizeBytes / blockBytes);
  const perSegment = segmentBytes / blockBytes;
  const runs = changed
    .filter(({ length }) => length > 0)
    .map(({ offset, length }) => ({
      start: Math.floor(offset / blockBytes),
      end: Math.min(blocks, Math.ceil((offset + length) / blockBytes)),
    }));
  if (baseSizeBytes !== sizeBytes) {
    const common = Math.floor(Math.min(baseSizeBytes, sizeBytes) / blockBytes);
    runs.push({ start: Math.max(0, common - 1), end: blocks });
  }
  const dirty = new Map<number, BlockRun[]>();
  for (const run of mergeRuns(runs)) {
    for (let at = run.start; at < run.end;) {
      const segment = Math.floor(at / perSegment);
      const first = segment * perSegment;
      const end = Math.min(run.end, first + perSegment);
      const list = dirty.get(segment) ?? [];
      list.push({ start: at - first, end: end - first });
      dirty.set(segment, list);
      at = end;
    }
  }
  return dirty;
}

/** Sorted; those that overlap or touch become one; empty ones are gone. */
export function mergeRuns(runs: readonly BlockRun[]): BlockRun[] {
  const merged: BlockRun[] = [];
  for (const run of runs.filter(({ start, end }) => start < end).toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && run.start <= last.end) {
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, run.end) };
    } else {
      merged.push(run);
    }
  }
  return merged;
}

export function dirtyBytes(dirty: DirtySegments, geometry: DiskGeometry): number {
  let bytes = 0;
  for (const [segment, runs] of dirty) {
    for (const { start, end } of runs) {
      bytes += Math.min(end * geometry.blockBytes, geometry.bytesIn(segment)) - start * geometry.blockBytes;
    }
  }
  return bytes;
}

import * as fc from 'fast-check';
import type { ManifestEntry, SegmentRun } from '../segment-record.ts';
import { placeEntries, type SegmentTable } from '../segment-table.ts';

/** What a run changes in one segment. */
export interface Change {
  readonly at: number;
  readonly lengths: readonly number[];
  /** Blocks of the segment from then on; 0: the disk ends before it. */
  readonly size: number;
  readonly isResized: boolean;
}

export const changeIn = (blocks: number): fc.Arbitrary<Change> =>
  fc.record({
    at: fc.nat(blocks),
    lengths: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
    size: fc.nat(blocks),
    isResized: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
  });

let made = 0;

/** A chunk of its own for each entry, but for some holes. */
export function entriesFor(blocks: number, lengths: readonly number[]): ManifestEntry[] {
  const entries: ManifestEntry[] = [];
  for (let at = 0, i = 0; at < blocks; i += 1) {
    const length = Math.min(blocks - at, lengths[i % lengths.length] ?? 1);
    made += 1;
    const pack = String(Math.floor(made / 65_000)).padStart(32, '0');
    const chunk = { pack, frame: made % 65_000, digest: Buffer.alloc(16, made) };
    entries.push({ blocks: length, chunk: made % 5 === 0 ? null : chunk });
    at += length;
  }
  return entries;
}

/** A layer as a writer makes it: runs begin at entries, and end at them or past the end; what grew is covered. */
export function layerFor(
  table: SegmentTable,
  { at, lengths, size, isResized }: Change,
  before: number,
): [SegmentRun[], number] {
  const limit = isResized ? size : before;
  if (limit === 0) {
    return [[], 0];
  }
  const dirtyStart = limit === before ? Math.min(at, limit - 1) : Math.max(0, Math.min(before, limit) - 1);
  const wanted = limit === before ? Math.min(limit, dirtyStart + (lengths[0] ?? 1)) : limit;
  const placed = placeEntries(table);
  const start = placed.find((entry) => entry.end > dirtyStart)?.start ?? (table.length === 0 ? 0 : dirtyStart);
  const end = Math.min(limit, placed.find((entry) => entry.end >= wanted)?.end ?? limit);
  return [[{ start, end, entries: entriesFor(end - start, lengths) }], limit];
}

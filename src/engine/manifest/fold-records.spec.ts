import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { foldRecords } from './fold-records.ts';
import type { ManifestEntry, SegmentRecord, SegmentRun } from './segment-record.ts';
import { applyRuns, placeEntries, truncateTable, type SegmentTable } from './segment-table.ts';

const BLOCKS = 60;

interface Change {
  readonly at: number;
  readonly lengths: readonly number[];
  /** Blocks of the segment from then on; 0: the disk ends before it. */
  readonly size: number;
  readonly isResized: boolean;
}

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(BLOCKS),
  lengths: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
  size: fc.nat(BLOCKS),
  isResized: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
});

let made = 0;

function entriesFor(blocks: number, lengths: readonly number[]): ManifestEntry[] {
  const entries: ManifestEntry[] = [];
  for (let at = 0, i = 0; at < blocks; i += 1) {
    const length = Math.min(blocks - at, lengths[i % lengths.length] ?? 1);
    made += 1;
    const chunk = { pack: '00'.repeat(16), frame: made % 65_000, digest: Buffer.alloc(16, made) };
    entries.push({ blocks: length, chunk: made % 5 === 0 ? null : chunk });
    at += length;
  }
  return entries;
}

/** A layer as a writer makes it: runs begin at entries, and end at them or past the end; what grew is covered. */
function layerFor(
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

test('a folded layer says what its layers say one after the other, over any table below it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
      fc.array(change, { minLength: 1, maxLength: 12 }),
      fc.nat(11),
      (lengths, changes, from) => {
        let table: SegmentTable = entriesFor(BLOCKS, lengths);
        let size = BLOCKS;
        const layers: { records: SegmentRecord[]; blocksIn: () => number }[] = [];
        const tables: SegmentTable[] = [table];
        for (const each of changes) {
          const [runs, limit] = layerFor(table, each, size);
          size = limit;
          table = truncateTable(applyRuns(table, runs), limit);
          layers.push({ records: runs.length === 0 ? [] : [{ segment: 7, runs }], blocksIn: () => limit });
          tables.push(table);
        }
        const first = Math.min(from, layers.length - 1);
        const [record] = foldRecords(layers.slice(first));
        const folded = truncateTable(applyRuns(tables[first] ?? [], record?.runs ?? []), size);
        expect(folded).toEqual(table);
        const runs = record?.runs ?? [];
        expect(runs.every((run, i) => run.start > (runs[i - 1]?.end ?? -1))).toBe(true);
      },
    ),
    { numRuns: 5000 },
  );
});

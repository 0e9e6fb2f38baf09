import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { foldRecords } from './fold-records.ts';
import type { SegmentRecord } from './segment-record.ts';
import { applyRuns, truncateTable, type SegmentTable } from './segment-table.ts';
import { changeIn, entriesFor, layerFor } from './testing/random-layers.ts';

const BLOCKS = 60;

test('a folded layer says what its layers say one after the other, over any table below it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
      fc.array(changeIn(BLOCKS), { minLength: 1, maxLength: 12 }),
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

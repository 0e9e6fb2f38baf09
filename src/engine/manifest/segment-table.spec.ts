import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { entryAt, placeEntries } from './segment-table.ts';

const table = fc.array(
  fc.integer({ min: 1, max: 6 }).map((blocks) => ({ blocks, chunk: null })),
  { maxLength: 12 },
);

test('the entry that has a block is the one that is placed there', () => {
  fc.assert(
    fc.property(table, fc.nat(80), (entries, block) => {
      expect(entryAt(entries, block)).toEqual(placeEntries(entries).find(({ end }) => end > block) ?? null);
    }),
  );
});

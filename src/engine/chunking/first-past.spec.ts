import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstPast } from './first-past.ts';
import type { BlockRun } from './plan-windows.ts';

const gapsAndLengths = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 5 })), { maxLength: 20 });

test('of runs that are apart or touch, the first that ends past a block is found', () => {
  fc.assert(
    fc.property(gapsAndLengths, fc.nat(120), (steps, block) => {
      let at = 0;
      const runs: BlockRun[] = steps.map(([gap, length]) => {
        const start = at + gap;
        at = start + length;
        return { start, end: at };
      });
      const found = runs.findIndex(({ end }) => end > block);
      expect(firstPast(runs, block)).toBe(found < 0 ? runs.length : found);
    }),
  );
});

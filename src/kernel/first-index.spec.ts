import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstIndex } from './first-index.ts';

test('the first index for which a condition holds is found, without asking past the end', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.nat(250), (count, from) => {
      const asked: number[] = [];
      const found = firstIndex(count, (index) => {
        asked.push(index);
        return index >= from;
      });
      expect(found).toBe(Math.min(count, from));
      expect(asked.every((index) => index < count)).toBe(true);
    }),
  );
});

test('a count past 31 bits is halved as any other', () => {
  expect(firstIndex(2 ** 40, (index) => index >= 2 ** 39 + 5)).toBe(2 ** 39 + 5);
});

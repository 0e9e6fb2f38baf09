import { expect, it } from 'vitest';
import { quantitiesOf } from './quantities.ts';

const APRIL = { from: new Date('2026-04-01T00:00:00Z'), to: new Date('2026-05-01T00:00:00Z') };

function entry(windowStart: string, revision: number, quantity: string, total: string) {
  return { meter: 'restored_bytes' as const, windowStart: new Date(windowStart), revision, quantity, total };
}

function ofRestoredBytes(entries: readonly ReturnType<typeof entry>[]) {
  return quantitiesOf(entries, APRIL).find(({ meter }) => meter === 'restored_bytes');
}

it('what comes late for an earlier span counts in the sum and nowhere else', () => {
  const late = entry('2026-03-31T23:00:00Z', 1, '-5', '10');
  expect(ofRestoredBytes([late])).toMatchObject({ sum: '-5', current: null, average: null, peak: null });
  const own = entry('2026-04-01T00:00:00Z', 0, '7', '7');
  expect(ofRestoredBytes([late, own])).toMatchObject({ sum: '2', current: '7', average: '7.000', peak: '7' });
});

it('a window is what its last correction says', () => {
  const entries = [
    entry('2026-04-01T01:00:00Z', 0, '1', '1'),
    entry('2026-04-01T00:00:00Z', 1, '-90', '10'),
    entry('2026-04-01T00:00:00Z', 0, '100', '100'),
    entry('2026-04-01T02:00:00Z', 0, '0', '0'),
  ];
  expect(ofRestoredBytes(entries)).toMatchObject({ sum: '11', current: '0', average: '3.666', peak: '10' });
});

it('sums go beyond what a number holds', () => {
  const huge = '9007199254740993';
  const entries = [0, 1].map((hour) => entry(`2026-04-01T0${hour}:00:00Z`, 0, huge, huge));
  expect(ofRestoredBytes(entries)).toMatchObject({ sum: '18014398509481986', average: `${huge}.000` });
});

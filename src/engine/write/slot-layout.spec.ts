import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BlockRun } from '../chunking/plan-windows.ts';
import { SlotLayout } from './slot-layout.ts';

const SLOT_BLOCKS = 256;
/** Windows as gaps and lengths; a gap of none makes two of them touch. */
const windows = fc
  .array(fc.tuple(fc.oneof(fc.constant(0), fc.nat(60)), fc.integer({ min: 1, max: 40 })), {
    minLength: 1,
    maxLength: 8,
  })
  .map((parts) => {
    const runs: BlockRun[] = [];
    for (const [gap, blocks] of parts) {
      const start = (runs.at(-1)?.end ?? 0) + gap;
      runs.push({ start, end: start + blocks });
    }
    return runs.filter(({ end }) => end <= SLOT_BLOCKS);
  });

function placesOf(layout: SlotLayout, { start, end }: BlockRun): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i - layout.shiftAt(start + i));
}

/** Whether a run lies in the slot as in the segment, and with it what touches it. */
function isInOnePiece(layout: SlotLayout, { start, end }: BlockRun, next: BlockRun | undefined): boolean {
  const shift = layout.shiftAt(start);
  return layout.shiftAt(end - 1) === shift && (next?.start !== end || layout.shiftAt(end) === shift);
}

test('no two blocks of windows share a place, each has one in the slot, and what touches stays together', () => {
  fc.assert(
    fc.property(windows, (runs) => {
      const layout = SlotLayout.of(runs, SLOT_BLOCKS);
      const all = runs.flatMap((run) => placesOf(layout, run));
      expect(new Set(all).size).toBe(all.length);
      expect(all.every((place) => place >= 0 && place < SLOT_BLOCKS)).toBe(true);
      expect(runs.every((run, i) => isInOnePiece(layout, run, runs[i + 1]))).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test('a window that grows holds its place only as long as nothing else is in the way', () => {
  fc.assert(
    fc.property(windows, fc.nat(8), fc.nat(200), (runs, from, more) => {
      const layout = SlotLayout.of(runs, SLOT_BLOCKS);
      const [first = { start: 0, end: 0 }, ...rest] = runs.slice(from % Math.max(1, runs.length));
      const end = Math.min(first.end + more, rest[0]?.start ?? SLOT_BLOCKS);
      const grown = [{ ...first, end }, ...rest];
      const all = grown.flatMap((run) => placesOf(layout, run));
      const isWhole = new Set(all).size === all.length && Math.max(...all) < SLOT_BLOCKS;
      expect(layout.holds(grown) && !(isWhole && isInOnePiece(layout, { ...first, end }, rest[0]))).toBe(false);
      expect(more === 0 && !layout.holds(grown)).toBe(false);
    }),
    { numRuns: 3000 },
  );
});

test('few small windows lie at the beginnings of the same parts, wherever they are in the segment', () => {
  const at = (...starts: number[]): number[] =>
    SlotLayout.of(
      starts.map((start) => ({ start, end: start + 5 })),
      SLOT_BLOCKS,
    ).places.map(({ start, shift }) => start - shift);
  expect(at(200)).toEqual([0]);
  expect(at(3, 77, 201)).toEqual([0, 64, 128]);
  expect(at(9, 50, 130, 180)).toEqual([0, 64, 128, 192]);
  expect(SlotLayout.of([{ start: 10, end: 260 }], 256).places).toEqual([{ start: 0, shift: 0 }]);
});

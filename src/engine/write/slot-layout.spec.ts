import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BlockRun } from '../chunking/plan-windows.ts';
import { SlotLayout } from './slot-layout.ts';

const SLOT_BLOCKS = 256;
const NOTHING = -1;
/** Pieces as gaps and lengths. */
const pieceLists = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 40 })), { minLength: 1, maxLength: 8 })
  .map((parts) => {
    const runs: BlockRun[] = [];
    for (const [gap, blocks] of parts) {
      const start = (runs.at(-1)?.end ?? -1) + gap;
      runs.push({ start, end: start + blocks });
    }
    return runs.filter(({ end }) => end <= SLOT_BLOCKS);
  })
  .filter((runs) => runs.length > 0);
const growths = fc.array(fc.tuple(fc.nat(7), fc.nat(40), fc.integer({ min: 1, max: 60 }), fc.boolean()), {
  maxLength: 6,
});

/** What lies where: numbers of the segment's blocks. */
class Slot {
  readonly blocks = Array.from({ length: SLOT_BLOCKS }, () => NOTHING);

  put(layout: SlotLayout, { start, end }: BlockRun): void {
    for (let block = start; block < end; block += 1) {
      this.blocks[block - layout.shiftAt(start)] = block;
    }
  }

  /** Whether the run is in one piece, and where the layout says. */
  has(layout: SlotLayout, { start, end }: BlockRun): boolean {
    const at = start - layout.shiftAt(start);
    return Array.from({ length: end - start }, (_, i) => start + i).every(
      (block, i) => this.blocks[at + i] === block && block - layout.shiftAt(block) === at + i,
    );
  }
}

function laidOut(pieces: readonly BlockRun[]): { readonly slot: Slot; readonly layout: SlotLayout } {
  const layout = SlotLayout.of(pieces, SLOT_BLOCKS);
  const slot = new Slot();
  pieces.forEach((piece) => slot.put(layout, piece));
  return { slot, layout };
}

test('each piece has a place of its own in the slot, in one piece', () => {
  fc.assert(
    fc.property(pieceLists, (pieces) => {
      const { slot, layout } = laidOut(pieces);
      expect(pieces.every((piece) => slot.has(layout, piece) && layout.holds(piece))).toBe(true);
      expect(slot.blocks.length).toBe(SLOT_BLOCKS);
    }),
    { numRuns: 2000 },
  );
});

test('what grows is in one piece with what was there and with what it comes to; nothing behind it is overwritten', () => {
  fc.assert(
    fc.property(pieceLists, growths, (pieces, steps) => {
      const { slot, layout: first } = laidOut(pieces);
      let layout = first;
      let left = pieces;
      for (const [from, cutOff, more, isSplit] of steps) {
        const [open, ...behind] = left.slice(from % left.length);
        if (open === undefined) {
          return;
        }
        const there = { start: Math.max(open.start, open.end - 1 - cutOff), end: open.end };
        const end = Math.min(there.end + more, behind[0]?.start ?? SLOT_BLOCKS);
        const middle = there.end + Math.floor((end - there.end) / 2);
        const grownPieces =
          isSplit && middle + 1 < end
            ? [
                { start: there.start, end: middle },
                { start: middle + 1, end },
              ]
            : [{ start: there.start, end }];
        const grown = layout.grow(grownPieces, there);
        if (grown === null) {
          return;
        }
        layout = grown.layout;
        grown.moves.forEach(({ from: at, to, blocks }) => slot.blocks.copyWithin(to, at, at + blocks));
        expect(slot.has(layout, there)).toBe(true);
        const fresh = grownPieces.map((piece) => ({ start: Math.max(piece.start, there.end), end: piece.end }));
        fresh.forEach((piece) => slot.put(layout, piece));
        const last = grownPieces.at(-1) ?? there;
        left =
          behind[0]?.start === end
            ? [...grownPieces.slice(0, -1), { start: last.start, end: behind[0].end }, ...behind.slice(1)]
            : [...grownPieces, ...behind];
        expect(left.every((piece) => slot.has(layout, piece))).toBe(true);
      }
    }),
    { numRuns: 5000 },
  );
});

test('a few pieces lie at the beginning of the slot, wherever they are in the segment; many as in the segment', () => {
  const at = (...starts: number[]): number[] =>
    SlotLayout.of(
      starts.map((start) => ({ start, end: start + 5 })),
      SLOT_BLOCKS,
    ).places.map(({ start, shift }) => start - shift);
  expect(at(200)).toEqual([0]);
  expect(at(3, 77, 201)).toEqual([0, 5, 10]);
  expect(SlotLayout.of([{ start: 10, end: 138 }], 256).places).toEqual([{ start: 10, shift: 10 }]);
  expect(SlotLayout.of([{ start: 10, end: 139 }], 256).places).toEqual([{ start: 0, shift: 0 }]);
});

test('what there is no room for is refused', () => {
  const layout = SlotLayout.of([{ start: 0, end: 100 }], SLOT_BLOCKS);
  const there = { start: 50, end: 100 };
  expect(layout.grow([{ start: 50, end: 256 }], there)).not.toBeNull();
  const apart = SlotLayout.of(
    [
      { start: 0, end: 100 },
      { start: 220, end: 240 },
    ],
    SLOT_BLOCKS,
  );
  expect(apart.grow([{ start: 50, end: 187 }], there)).toBeNull();
  expect(apart.grow([{ start: 50, end: 186 }], there)).not.toBeNull();
});

import type { BlockRun } from '../chunking/plan-windows.ts';
import type { SlotPlace } from '../worker/protocol.ts';
import { placeAt } from '../worker/slot-places.ts';
import { mergeRuns } from './changed-blocks.ts';

/** Blocks of a segment, up to `end`, that lie in one piece in the slot. */
interface Area extends SlotPlace {
  readonly end: number;
}

/** Blocks that lie in the slot already and are to lie elsewhere in it; counted from its beginning. */
export interface Move {
  readonly from: number;
  readonly to: number;
  readonly blocks: number;
}

export interface Grown {
  readonly layout: SlotLayout;
  readonly moves: readonly Move[];
}

/** Of a slot, what pieces may take at most, so that windows have room to grow. */
const MOST = 1 / 2;

/**
 * Where the pieces of a segment lie in a slot. Few of them all over a segment would touch, from segment to segment, all
 * memory of the slot; so they lie one after the other at its beginning.
 */
export class SlotLayout {
  readonly #areas: readonly Area[];
  readonly #slotBlocks: number;
  /** From here on there is nothing in the slot. */
  readonly #used: number;

  private constructor(areas: readonly Area[], used: number, slotBlocks: number) {
    this.#areas = areas;
    this.#used = used;
    this.#slotBlocks = slotBlocks;
  }

  /** `pieces`: ascending and apart. Where they take much of the slot, each block lies where it does in the segment. */
  static of(pieces: readonly BlockRun[], slotBlocks: number): SlotLayout {
    const used = lengthOf(pieces);
    return used > slotBlocks * MOST
      ? new SlotLayout([{ start: 0, shift: 0, end: slotBlocks }], slotBlocks, slotBlocks)
      : new SlotLayout(inARow(pieces, 0), used, slotBlocks);
  }

  /** Ascending; a block lies where the last one says that begins at it or before it. */
  get places(): readonly SlotPlace[] {
    return this.#areas.map(({ start, shift }) => ({ start, shift }));
  }

  /** By how many blocks what begins here lies nearer to the slot's beginning than to the segment's. */
  shiftAt(block: number): number {
    return placeAt(this.#areas, block).shift;
  }

  /** Whether a run lies in one piece. */
  holds({ start, end }: BlockRun): boolean {
    return end <= placeAt(this.#areas, start).end;
  }

  /**
   * With pieces for a window that goes on: the first of them begins with `there`, which the slot has. What begins where
   * they end is in one piece with them. Null: there is no room.
   */
  grow(pieces: readonly BlockRun[], there: BlockRun): Grown | null {
    const end = pieces.at(-1)?.end ?? there.end;
    const area = placeAt(this.#areas, there.start);
    if (end <= area.end) {
      return { layout: this, moves: [] };
    }
    const isAtEnd = there.end === area.end && area.end - area.shift === this.#used;
    const at = isAtEnd ? there.start - area.shift : this.#used;
    const next = this.#areas.find(({ start }) => start === end) ?? { start: end, shift: 0, end };
    const grown = inARow(mergeRuns([...pieces, next]), at);
    const used = at + lengthOf(grown);
    const moves = [
      { from: there.start - area.shift, to: at, blocks: isAtEnd ? 0 : there.end - there.start },
      { from: next.start - next.shift, to: used - (next.end - end), blocks: next.end - end },
    ];
    const before = this.#areas.filter(({ start }) => start < there.start);
    const behind = this.#areas.filter(({ start }) => start > end);
    const layout = new SlotLayout([...before, ...grown, ...behind], used, this.#slotBlocks);
    return used > this.#slotBlocks ? null : { layout, moves: moves.filter(({ blocks }) => blocks > 0) };
  }
}

/** One after the other, from a block of the slot on. */
function inARow(pieces: readonly BlockRun[], from: number): Area[] {
  let at = from;
  return pieces.map(({ start, end }) => {
    const shift = start - at;
    at += end - start;
    return { start, shift, end };
  });
}

function lengthOf(runs: readonly BlockRun[]): number {
  return runs.reduce((sum, { start, end }) => sum + end - start, 0);
}

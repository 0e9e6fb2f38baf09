import type { BlockRun } from '../chunking/plan-windows.ts';
import type { SlotPlace } from '../worker/protocol.ts';
import { placeAt } from '../worker/slot-places.ts';
import { mergeRuns } from './changed-blocks.ts';

/** A stretch of a segment, in blocks, that lies in one piece in the slot; there is room for it up to `limit`. */
interface Area extends SlotPlace {
  readonly limit: number;
}

/** Of a slot, what a window grows by without being moved: with usual parameters, a chunk of the greatest length. */
const SPARE_SHARE = 32;
const AS_IN_SEGMENT: readonly Area[] = [{ start: 0, shift: 0, limit: Infinity }];

/**
 * Where the windows of a segment lie in a slot. Few small windows all over a segment would touch, from segment to
 * segment, all memory of the slot; so they lie at its parts' beginnings, the same ones each time, as long as each has
 * its part for itself, with room to grow.
 */
export class SlotLayout {
  readonly #areas: readonly Area[];

  private constructor(areas: readonly Area[]) {
    this.#areas = areas;
  }

  /** Each block as far from the slot's beginning as from the segment's. */
  static asInSegment(): SlotLayout {
    return new SlotLayout(AS_IN_SEGMENT);
  }

  /** `windows`: ascending, apart from each other or touching. */
  static of(windows: readonly BlockRun[], slotBlocks: number): SlotLayout {
    const groups = mergeRuns(windows);
    const share = Math.floor(slotBlocks / 2 ** Math.ceil(Math.log2(groups.length)));
    const spare = slotBlocks / SPARE_SHARE;
    if (groups.length === 0 || groups.some(({ start, end }) => end - start + spare > share)) {
      return SlotLayout.asInSegment();
    }
    return new SlotLayout(groups.map(({ start }, i) => ({ start, shift: start - i * share, limit: start + share })));
  }

  /** Ascending; a block lies where the last one says that begins at it or before it. */
  get places(): readonly SlotPlace[] {
    return this.#areas.map(({ start, shift }) => ({ start, shift }));
  }

  /** By how many blocks what begins here lies nearer to the slot's beginning than to the segment's. */
  shiftAt(block: number): number {
    return placeAt(this.#areas, block).shift;
  }

  /** Whether the windows that are left, of which the first has grown, still have their places. */
  holds([first, next]: readonly BlockRun[]): boolean {
    if (first === undefined) {
      return true;
    }
    const area = placeAt(this.#areas, first.start);
    const isApart = next === undefined || first.end < next.start || placeAt(this.#areas, next.start) === area;
    return first.end <= area.limit && isApart;
  }
}

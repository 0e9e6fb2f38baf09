import type { SlotPlace } from './protocol.ts';

/** The place that a block of a segment belongs to: the last one that begins at it or before it. */
export function placeAt<T extends SlotPlace>(places: readonly T[], block: number): T {
  const place = places.findLast(({ start }) => start <= block);
  if (place === undefined) {
    throw new RangeError(`block ${block} has no place in the slot`);
  }
  return place;
}

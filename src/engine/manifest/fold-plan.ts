/** More than this, and a restore would read too many small pieces. */
export const MAX_DELTAS = 32;
/** How many layers of about one size become one. */
const FAN_OUT = 8;

/**
 * Which layers of `sizes` bytes, the checkpoint's first, become one when another delta comes on top of them: those from
 * this position on; null: none. Taken together are the newest layers as long as the next older one is not larger than all
 * that are newer, once that are eight; the checkpoint too when the deltas have come to its size. A record is thus written
 * again about once for each doubling of what lies below it, and no run writes a checkpoint for less.
 */
export function planFold(sizes: readonly number[]): number | null {
  let first = sizes.length - 1;
  let sum = sizes[first] ?? 0;
  while (first > 1 && (sizes[first - 1] ?? Infinity) <= sum) {
    first -= 1;
    sum += sizes[first] ?? 0;
  }
  const isFull = sizes.length - first >= FAN_OUT;
  if (first === 1 && isFull && sum >= (sizes[0] ?? 0)) {
    return 0;
  }
  if (isFull) {
    return first;
  }
  return sizes.length > MAX_DELTAS ? 1 : null;
}

/**
 * The first index below `count` for which a condition holds, found by halving; `count` where it holds for none. Past the
 * first one it must hold for all.
 */
export function firstIndex(count: number, holds: (index: number) => boolean): number {
  let low = 0;
  for (let high = count; low < high;) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

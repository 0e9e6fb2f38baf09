import type { ByteRange } from '../ports/block-io.ts';

/** Ranges in ascending order; those that touch become one. */
export class RangeList {
  readonly #ranges: { offset: number; length: number }[] = [];

  get list(): readonly ByteRange[] {
    return this.#ranges;
  }

  get bytes(): number {
    return this.#ranges.reduce((sum, { length }) => sum + length, 0);
  }

  /** Starts at or after where the last one ended. */
  add(start: number, end: number): void {
    const last = this.#ranges.at(-1);
    if (last !== undefined && last.offset + last.length === start) {
      last.length = end - last.offset;
    } else {
      this.#ranges.push({ offset: start, length: end - start });
    }
  }
}

/** Blocks of segments: one bit for each block of a segment that has any. */
export class BlockSet {
  readonly #blocks: number;
  readonly #segments = new Map<number, Uint8Array>();

  /** `blocks`: how many a whole segment has; there are none past them. */
  constructor(blocks: number) {
    this.#blocks = blocks;
  }

  add(segment: number, start: number, end: number): void {
    const bits = this.#segments.get(segment) ?? new Uint8Array(Math.ceil(this.#blocks / 8));
    this.#segments.set(segment, bits);
    const last = Math.min(end, this.#blocks);
    for (let block = start; block < last;) {
      if ((block & 7) === 0 && block + 8 <= last) {
        bits[block >> 3] = 0xff;
        block += 8;
      } else {
        bits[block >> 3] = (bits[block >> 3] ?? 0) | (1 << (block & 7));
        block += 1;
      }
    }
  }

  /** Whether these are all in it; false for no blocks. */
  hasAll(segment: number, start: number, end: number): boolean {
    const bits = this.#segments.get(segment);
    if (bits === undefined || start >= end) {
      return false;
    }
    for (let block = start; block < end; block += 1) {
      if ((((bits[block >> 3] ?? 0) >> (block & 7)) & 1) === 0) {
        return false;
      }
    }
    return true;
  }

  /** Removes what is not in the other set. */
  keep(other: BlockSet): void {
    for (const [segment, bits] of this.#segments) {
      const others = other.#segments.get(segment);
      if (others === undefined) {
        this.#segments.delete(segment);
      } else {
        bits.forEach((byte, at) => (bits[at] = byte & (others[at] ?? 0)));
      }
    }
  }
}

import type { ObjectId } from '../format/ids.ts';

const FIRST_BYTES = 64;

/** A set of frames of packs: one bit for each, no object for a frame. */
export class FrameBits {
  readonly #packs = new Map<ObjectId, Uint8Array>();
  readonly #counts = new Map<ObjectId, number>();

  /** False if it was there already. */
  add(pack: ObjectId, frame: number): boolean {
    let bits = this.#packs.get(pack) ?? new Uint8Array(FIRST_BYTES);
    const at = frame >> 3;
    if (at >= bits.length) {
      const grown = new Uint8Array(Math.max(2 * bits.length, at + 1));
      grown.set(bits);
      bits = grown;
    }
    this.#packs.set(pack, bits);
    const mask = 1 << (frame & 7);
    if (((bits[at] ?? 0) & mask) !== 0) {
      return false;
    }
    bits[at] = (bits[at] ?? 0) | mask;
    this.#counts.set(pack, (this.#counts.get(pack) ?? 0) + 1);
    return true;
  }

  has(pack: ObjectId, frame: number): boolean {
    return (((this.#packs.get(pack)?.[frame >> 3] ?? 0) >> (frame & 7)) & 1) === 1;
  }

  /** Frames of a pack. */
  count(pack: ObjectId): number {
    return this.#counts.get(pack) ?? 0;
  }

  packs(): IterableIterator<ObjectId> {
    return this.#packs.keys();
  }

  *frames(pack: ObjectId): Iterable<number> {
    const bits = this.#packs.get(pack) ?? new Uint8Array(0);
    for (let frame = 0; frame < 8 * bits.length; frame += 1) {
      if (this.has(pack, frame)) {
        yield frame;
      }
    }
  }
}

import { Blake3Hasher } from '@napi-rs/blake-hash';
import { slotView, type LaneMemory } from './lane-memory.ts';
import type { HashTask } from './protocol.ts';

/** The keyless hash of an object that comes in stretches. */
export class StretchHasher {
  readonly #lane: LaneMemory;
  #hasher = new Blake3Hasher();

  constructor(lane: LaneMemory) {
    this.#lane = lane;
  }

  /** Of everything since the last stretch that was a first one. */
  hash({ slot, bytes, first }: HashTask): Uint8Array {
    if (first) {
      this.#hasher = new Blake3Hasher();
    }
    const view = slotView(this.#lane, slot);
    this.#hasher.update(Buffer.from(view.buffer, view.byteOffset, bytes));
    return new Uint8Array(this.#hasher.digestBuffer());
  }
}

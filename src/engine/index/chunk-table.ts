import { SHORT_DIGEST_BYTES } from '../keys/digest.ts';

const HEADER_INTS = 4;
const SLOT_INTS = 7;
const COUNT = 0;
const EMPTY = 0;
const FILLING = 1;
const FULL = 2;
const MAX_LOAD = 0.7;

/**
 * A hash table from the first 16 bytes of a digest to a place in a pack, in memory that all threads share.
 * Entries are only ever added, with a compare-and-set; a reader that meets one being filled takes it for absent,
 * which costs a chunk stored twice and nothing else.
 */
export class ChunkTable {
  readonly buffer: SharedArrayBuffer;
  readonly #ints: Int32Array;
  readonly #slots: number;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#ints = new Int32Array(buffer);
    this.#slots = Math.floor((this.#ints.length - HEADER_INTS) / SLOT_INTS);
  }

  static allocate(chunks: number): ChunkTable {
    const slots = Math.max(64, Math.ceil(chunks / MAX_LOAD));
    return new ChunkTable(new SharedArrayBuffer(4 * (HEADER_INTS + slots * SLOT_INTS)));
  }

  get size(): number {
    return Atomics.load(this.#ints, COUNT);
  }

  /** How many chunks fit; what comes after is not remembered. */
  get capacity(): number {
    return Math.floor(this.#slots * MAX_LOAD);
  }

  /** The slot of a digest, or -1. */
  find(digest: Uint8Array): number {
    const view = new DataView(digest.buffer, digest.byteOffset, SHORT_DIGEST_BYTES);
    for (let probe = 0, slot = this.#home(view, 0); probe < this.#slots; probe += 1, slot = (slot + 1) % this.#slots) {
      const at = HEADER_INTS + slot * SLOT_INTS;
      const state = Atomics.load(this.#ints, at);
      if (state === EMPTY) {
        return -1;
      }
      if (state === FULL && this.#equals(at, view)) {
        return slot;
      }
    }
    return -1;
  }

  packAt(slot: number): number {
    return this.#ints[HEADER_INTS + slot * SLOT_INTS + 5] ?? 0;
  }

  frameAt(slot: number): number {
    return this.#ints[HEADER_INTS + slot * SLOT_INTS + 6] ?? 0;
  }

  /** False when the table is as full as it may be. A digest that is already there may be added again: the first is found. */
  add(digest: Uint8Array, pack: number, frame: number): boolean {
    return this.#add(new DataView(digest.buffer, digest.byteOffset, SHORT_DIGEST_BYTES), 0, pack, frame);
  }

  /** All frames of a pack, in their order, as far as there is room. */
  addFrames(digests: Uint8Array, pack: number): void {
    const view = new DataView(digests.buffer, digests.byteOffset, digests.byteLength);
    for (let frame = 0; frame < digests.length / SHORT_DIGEST_BYTES; frame += 1) {
      this.#add(view, frame * SHORT_DIGEST_BYTES, pack, frame);
    }
  }

  /** Everything that is in it; nobody may be adding. */
  visit(use: (digest: Uint8Array, pack: number, frame: number) => void): void {
    for (let at = HEADER_INTS; at < HEADER_INTS + this.#slots * SLOT_INTS; at += SLOT_INTS) {
      if (this.#ints[at] === FULL) {
        const digest = new Uint8Array(this.#ints.slice(at + 1, at + 5).buffer);
        use(digest, this.#ints[at + 5] ?? 0, this.#ints[at + 6] ?? 0);
      }
    }
  }

  #add(view: DataView, from: number, pack: number, frame: number): boolean {
    if (this.size >= this.capacity) {
      return false;
    }
    for (let slot = this.#home(view, from); ; slot = (slot + 1) % this.#slots) {
      const at = HEADER_INTS + slot * SLOT_INTS;
      if (Atomics.compareExchange(this.#ints, at, EMPTY, FILLING) === EMPTY) {
        for (let word = 0; word < 4; word += 1) {
          this.#ints[at + 1 + word] = view.getInt32(from + 4 * word, true);
        }
        this.#ints[at + 5] = pack;
        this.#ints[at + 6] = frame;
        Atomics.store(this.#ints, at, FULL);
        Atomics.add(this.#ints, COUNT, 1);
        return true;
      }
    }
  }

  #home(view: DataView, from: number): number {
    return view.getUint32(from, true) % this.#slots;
  }

  #equals(at: number, view: DataView): boolean {
    return (
      this.#ints[at + 1] === view.getInt32(0, true) &&
      this.#ints[at + 2] === view.getInt32(4, true) &&
      this.#ints[at + 3] === view.getInt32(8, true) &&
      this.#ints[at + 4] === view.getInt32(12, true)
    );
  }
}

import { idBytes, type ObjectId } from '../format/ids.ts';

const ID_BYTES = 16;

/** The packs of one write by their numbers, counted from 0; 17 bytes each, for a large disk has many. */
export class PackNumbers {
  #ids = Buffer.alloc(64 * ID_BYTES);
  #published = new Uint8Array(64);
  #count = 0;

  add(id: ObjectId): number {
    const number = this.#count;
    if (number === this.#published.length) {
      this.#ids = Buffer.concat([this.#ids], 2 * this.#ids.length);
      const published = new Uint8Array(2 * number);
      published.set(this.#published);
      this.#published = published;
    }
    idBytes(id).copy(this.#ids, number * ID_BYTES);
    this.#count += 1;
    return number;
  }

  id(number: number): ObjectId {
    if (number >= this.#count) {
      throw new RangeError(`a chunk was placed in pack ${number} of ${this.#count} of its write`);
    }
    return this.#ids.toString('hex', number * ID_BYTES, (number + 1) * ID_BYTES);
  }

  setPublished(number: number): void {
    this.#published[number] = 1;
  }

  isPublished(number: number): boolean {
    return this.#published[number] === 1;
  }
}

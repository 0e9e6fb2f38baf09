/** A growing set of block numbers. Byte order is the wire's: block 0 is the most significant bit of byte 0. */
export class Bitmap {
  #bytes: Uint8Array;
  #count = 0;

  constructor(blocks = 0) {
    this.#bytes = new Uint8Array(Math.ceil(blocks / 8));
  }

  /** How many blocks are in the set. */
  get count(): number {
    return this.#count;
  }

  has(block: number): boolean {
    return ((this.#bytes[block >> 3] ?? 0) & (0x80 >> (block & 7))) !== 0;
  }

  add(block: number): void {
    if (this.has(block)) {
      return;
    }
    const index = block >> 3;
    if (index >= this.#bytes.length) {
      const grown = new Uint8Array(Math.max(index + 1, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes[index] = (this.#bytes[index] ?? 0) | (0x80 >> (block & 7));
    this.#count += 1;
  }

  addAll(other: Bitmap): void {
    for (const block of other.blocks()) {
      this.add(block);
    }
  }

  *blocks(): Generator<number> {
    for (const [index, byte] of this.#bytes.entries()) {
      if (byte !== 0) {
        yield* bitsOf(byte, index * 8);
      }
    }
  }

  /** The first `blocks` bits, padded with zero bits to a whole byte. */
  toBytes(blocks: number): Buffer {
    const bytes = Buffer.alloc(Math.ceil(blocks / 8));
    bytes.set(this.#bytes.subarray(0, bytes.length));
    if (blocks % 8 !== 0) {
      const last = bytes.length - 1;
      bytes[last] = (bytes[last] ?? 0) & (0xff << (8 - (blocks % 8)));
    }
    return bytes;
  }
}

function* bitsOf(byte: number, first: number): Generator<number> {
  for (let bit = 0; bit < 8; bit += 1) {
    if ((byte & (0x80 >> bit)) !== 0) {
      yield first + bit;
    }
  }
}

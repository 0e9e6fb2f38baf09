/** Bits for each chunk: about one in a hundred that are not there is taken for one that may be. */
const BITS_PER_CHUNK = 10;
/** A chunk's bits lie in one block of this many words, so that asking costs one cache line. */
const BLOCK_WORDS = 16;
const BLOCK_BYTES = 4 * BLOCK_WORDS;
const PROBES = 3;

/** A filter as threads are given it; its memory is shared, and nobody writes to it any more. */
export interface FilterRef {
  readonly buffer: SharedArrayBuffer;
  /** Only digests that begin with these `bits` bits are in the segment. */
  readonly bits: number;
  readonly prefix: number;
}

/**
 * Which digests an index segment may hold: a Bloom filter divided into blocks. `high` and `low` are the first eight bytes
 * of a digest as two numbers, the first byte highest.
 */
export class ChunkFilter {
  readonly ref: FilterRef;
  readonly #words: Uint32Array;
  readonly #blocks: number;

  constructor(ref: FilterRef) {
    this.ref = ref;
    this.#words = new Uint32Array(ref.buffer);
    this.#blocks = this.#words.length / BLOCK_WORDS;
  }

  static bytesFor(chunks: number): number {
    return BLOCK_BYTES * Math.max(1, Math.ceil((chunks * BITS_PER_CHUNK) / (8 * BLOCK_BYTES)));
  }

  static allocate(chunks: number, bits: number, prefix: number): ChunkFilter {
    return new ChunkFilter({ buffer: new SharedArrayBuffer(ChunkFilter.bytesFor(chunks)), bits, prefix });
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.#words.buffer);
  }

  add(high: number, low: number): void {
    const words = this.#words;
    const at = this.#blockOf(low);
    for (const seed of SEEDS) {
      for (let bits = mix(high ^ seed), i = 0; i < PROBES; i += 1, bits >>>= 9) {
        const word = at + ((bits >>> 5) & (BLOCK_WORDS - 1));
        words[word] = (words[word] ?? 0) | (1 << (bits & 31));
      }
    }
  }

  mayHave(high: number, low: number): boolean {
    const { bits: rangeBits, prefix } = this.ref;
    if (rangePrefix(high, rangeBits) !== prefix) {
      return false;
    }
    const words = this.#words;
    const at = this.#blockOf(low);
    for (const seed of SEEDS) {
      for (let bits = mix(high ^ seed), i = 0; i < PROBES; i += 1, bits >>>= 9) {
        if (((words[at + ((bits >>> 5) & (BLOCK_WORDS - 1))] ?? 0) & (1 << (bits & 31))) === 0) {
          return false;
        }
      }
    }
    return true;
  }

  #blockOf(low: number): number {
    return Math.floor((low * this.#blocks) / 2 ** 32) * BLOCK_WORDS;
  }
}

const SEEDS = [0, 0x9e37_79b9] as const;

/** The finishing steps of MurmurHash3. */
function mix(value: number): number {
  let x = value ^ (value >>> 16);
  x = Math.imul(x, 0x85eb_ca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2_ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** The first `bits` bits of a digest. */
export function rangePrefix(high: number, bits: number): number {
  return bits === 0 ? 0 : high >>> (32 - bits);
}

import { PAGE_WORDS, SLAB_PAGES, type FilterMemory } from './filter-memory.ts';

/** Bits for each chunk: about one in a hundred that are not there is taken for one that may be. */
const BITS_PER_CHUNK = 10;
/** A chunk's bits lie in one block of this many words, so that asking costs one cache line. */
const BLOCK_WORDS = 16;
const BLOCK_BYTES = 4 * BLOCK_WORDS;
const PROBES = 3;
const PAGE_BLOCKS = PAGE_WORDS / BLOCK_WORDS;

/** A filter as threads are given it; its memory is shared, and nobody writes to it as long as it is in use. */
export interface FilterRef {
  /** Where pages lie, `SLAB_PAGES` in each. */
  readonly slabs: readonly Uint32Array[];
  /** The pages of this filter, in order. */
  readonly pages: Uint32Array;
  readonly blocks: number;
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
  readonly #slabs: readonly Uint32Array[];
  readonly #pages: Uint32Array;
  readonly #blocks: number;

  constructor(ref: FilterRef) {
    this.ref = ref;
    this.#slabs = ref.slabs;
    this.#pages = ref.pages;
    this.#blocks = ref.blocks;
  }

  static bytesFor(chunks: number): number {
    return BLOCK_BYTES * Math.max(1, Math.ceil((chunks * BITS_PER_CHUNK) / (8 * BLOCK_BYTES)));
  }

  /** One in this memory, which is shared with nobody: as it was stored; or zeros, as long as `bytesFor` says. */
  static over(memory: Uint8Array, bits: number, prefix: number): ChunkFilter {
    const words = new Uint32Array(memory.buffer, memory.byteOffset, memory.byteLength / 4);
    const slabWords = SLAB_PAGES * PAGE_WORDS;
    const slabs = Array.from({ length: Math.ceil(words.length / slabWords) }, (_, i) =>
      words.subarray(i * slabWords, (i + 1) * slabWords),
    );
    const pages = Uint32Array.from({ length: Math.ceil(words.length / PAGE_WORDS) }, (_, i) => i);
    return new ChunkFilter({ slabs, pages, blocks: words.length / BLOCK_WORDS, bits, prefix });
  }

  /** One that was made before, as it was stored, in memory that threads share. */
  static load(memory: FilterMemory, stored: Uint8Array, bits: number, prefix: number): ChunkFilter {
    const words = new Uint32Array(stored.buffer, stored.byteOffset, stored.byteLength / 4);
    const pages = memory.take(words.length);
    for (const [i, page] of pages.entries()) {
      const at = (page % SLAB_PAGES) * PAGE_WORDS;
      memory.slabs[Math.floor(page / SLAB_PAGES)]?.set(words.subarray(i * PAGE_WORDS, (i + 1) * PAGE_WORDS), at);
    }
    return new ChunkFilter({ slabs: memory.slabs, pages, blocks: words.length / BLOCK_WORDS, bits, prefix });
  }

  /** Whether a stored one may be so long. */
  static isLength(bytes: number): boolean {
    return bytes > 0 && bytes % BLOCK_BYTES === 0;
  }

  add(high: number, low: number): void {
    const block = this.#blockOf(low);
    const words = this.#slabOf(block);
    const at = this.#wordOf(block);
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
    const block = this.#blockOf(low);
    const words = this.#slabOf(block);
    const at = this.#wordOf(block);
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
    return Math.floor((low * this.#blocks) / 2 ** 32);
  }

  #slabOf(block: number): Uint32Array {
    return this.#slabs[Math.floor(this.#pageOf(block) / SLAB_PAGES)] ?? NOTHING;
  }

  /** Where a block begins in its slab. */
  #wordOf(block: number): number {
    return (this.#pageOf(block) % SLAB_PAGES) * PAGE_WORDS + (block % PAGE_BLOCKS) * BLOCK_WORDS;
  }

  #pageOf(block: number): number {
    return this.#pages[Math.floor(block / PAGE_BLOCKS)] ?? 0;
  }
}

const NOTHING = new Uint32Array(0);
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

import type { ObjectId } from '../format/ids.ts';
import { SHORT_DIGEST_BYTES } from '../keys/digest.ts';
import { ChunkTable } from './chunk-table.ts';

export interface ChunkPlace {
  readonly pack: ObjectId;
  readonly frame: number;
}

interface Half {
  readonly table: ChunkTable;
  readonly packs: ObjectId[];
}

/**
 * What the packs hold whose tables were read last: who finds one chunk of a pack will ask for its neighbours next. Two
 * halves: when one is full, the older one is forgotten.
 */
export class DigestCache {
  readonly #chunks: number;
  #young: Half;
  #old: Half;

  /** `chunks`: how many a half holds. */
  constructor(chunks: number) {
    this.#chunks = chunks;
    this.#young = emptyHalf(0);
    this.#old = this.#young;
  }

  find(digest: Uint8Array): ChunkPlace | null {
    const young = findIn(this.#young, digest);
    if (young !== null || this.#old === this.#young) {
      return young;
    }
    return findIn(this.#old, digest);
  }

  /** `digests`: the first 16 bytes of each of the pack's frames. */
  add(pack: ObjectId, digests: Uint8Array): void {
    if (this.#young.packs.includes(pack)) {
      return;
    }
    const count = digests.length / SHORT_DIGEST_BYTES;
    if (this.#young.table.size + count > this.#young.table.capacity) {
      this.#old = this.#young;
      this.#young = emptyHalf(Math.max(this.#chunks, count));
    }
    const number = this.#young.packs.push(pack) - 1;
    this.#young.table.addFrames(digests, number);
  }

  clear(): void {
    this.#young = emptyHalf(0);
    this.#old = this.#young;
  }
}

function emptyHalf(chunks: number): Half {
  return { table: ChunkTable.allocate(chunks), packs: [] };
}

function findIn({ table, packs }: Half, digest: Uint8Array): ChunkPlace | null {
  const slot = table.find(digest);
  const pack = slot < 0 ? undefined : packs[table.packAt(slot)];
  return pack === undefined ? null : { pack, frame: table.frameAt(slot) };
}

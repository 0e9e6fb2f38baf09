import { OBJECT_KIND } from '../format/header.ts';
import type { ObjectId } from '../format/ids.ts';
import { PackBuilder } from '../format/pack-builder.ts';
import { ChunkFilter } from '../index/chunk-filter.ts';
import { ChunkTable } from '../index/chunk-table.ts';
import { keyedDigest, SHORT_DIGEST_BYTES } from '../keys/digest.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import { packMemory } from './buffer-pool.ts';
import { OWN_PACK, type FoundPlaces, type NewPack, type SealedPack, type WriteTables } from './protocol.ts';

export interface PlacedChunk {
  /** Position in the packs that were found, or OWN_PACK and the number in this write. */
  readonly pack: number;
  readonly frame: number;
  readonly digest: Uint8Array;
  readonly isNew: boolean;
}

export interface StoredChunks {
  /** In the order of the chunks. */
  readonly places: readonly PlacedChunk[];
  readonly packs: readonly ObjectId[];
}

/** How a chunk writer gets rid of packs, comes by memory for new ones, and asks what the index has. */
export interface PackPort {
  nextPack(): Promise<NewPack>;
  sealed(pack: SealedPack): void;
  /** 16 bytes a chunk. */
  lookUp(digests: Uint8Array): Promise<FoundPlaces>;
}

interface OpenPack {
  readonly number: number;
  readonly buffer: ArrayBuffer;
  readonly builder: PackBuilder;
}

interface Asked {
  readonly index: number;
  readonly raw: Uint8Array;
  readonly digest: Buffer;
}

/** Deduplicates, compresses, seals and packs the chunks that one worker cuts for one write. */
export class ChunkWriter {
  readonly #secrets: RepositorySecrets;
  readonly #port: PackPort;
  #filters: readonly ChunkFilter[] = [];
  #own: ChunkTable;
  #ownBefore: ChunkTable | null = null;
  #open: OpenPack | null = null;

  constructor(secrets: RepositorySecrets, tables: WriteTables, port: PackPort) {
    this.#secrets = secrets;
    this.#port = port;
    this.#own = new ChunkTable(tables.own);
    this.use(tables);
  }

  use({ filters, own, ownBefore }: WriteTables): void {
    this.#filters = filters.map((ref) => new ChunkFilter(ref));
    this.#own = new ChunkTable(own);
    this.#ownBefore = ownBefore === null ? null : new ChunkTable(ownBefore);
  }

  /** What the filters exclude is stored at once; for the rest there is one question. */
  async putAll(chunks: readonly Uint8Array[]): Promise<StoredChunks> {
    const places: PlacedChunk[] = [];
    const asked: Asked[] = [];
    for (const [index, raw] of chunks.entries()) {
      const digest = keyedDigest(this.#secrets.digestKey, raw);
      const own = this.#findOwn(digest);
      if (own !== null) {
        places[index] = own;
      } else if (this.#mayBeKnown(digest)) {
        asked.push({ index, raw, digest });
      } else {
        places[index] = await this.#store(raw, digest);
      }
    }
    if (asked.length === 0) {
      return { places, packs: [] };
    }
    const found = await this.#port.lookUp(Buffer.concat(asked.map(({ digest }) => shortOf(digest))));
    for (const [i, { index, raw, digest }] of asked.entries()) {
      const [pack = -1, frame = 0] = found.places.subarray(2 * i, 2 * i + 2);
      places[index] =
        pack >= 0
          ? { pack, frame, digest: shortOf(digest), isNew: false }
          : (this.#findOwn(digest) ?? (await this.#store(raw, digest)));
    }
    return { places, packs: found.packs };
  }

  /** Seals what is open. */
  finish(): void {
    const open = this.#open;
    this.#open = null;
    if (open !== null) {
      const bytes = open.builder.finish();
      const digests = open.builder.shortDigests();
      this.#port.sealed({ id: open.builder.id, number: open.number, buffer: open.buffer, bytes, digests });
    }
  }

  #mayBeKnown(digest: Buffer): boolean {
    const [high, low] = [digest.readUInt32BE(0), digest.readUInt32BE(4)];
    return this.#filters.some((filter) => filter.mayHave(high, low));
  }

  #findOwn(digest: Buffer): PlacedChunk | null {
    for (const table of [this.#own, this.#ownBefore]) {
      const slot = table?.find(digest) ?? -1;
      if (table !== null && slot >= 0) {
        return { pack: table.packAt(slot), frame: table.frameAt(slot), digest: shortOf(digest), isNew: false };
      }
    }
    return null;
  }

  async #store(raw: Uint8Array, digest: Buffer): Promise<PlacedChunk> {
    const pack = await this.#packFor(raw.length);
    const frame = pack.builder.append(raw, digest);
    const number = OWN_PACK + pack.number;
    this.#own.add(shortOf(digest), number, frame);
    return { pack: number, frame, digest: shortOf(digest), isNew: true };
  }

  async #packFor(rawBytes: number): Promise<OpenPack> {
    if (this.#open !== null && !this.#open.builder.fits(rawBytes)) {
      this.finish();
    }
    if (this.#open === null) {
      const { id, number, buffer } = await this.#port.nextPack();
      const builder = new PackBuilder(packMemory(buffer), OBJECT_KIND.dataPack, id, this.#secrets);
      this.#open = { number, buffer, builder };
    }
    return this.#open;
  }
}

function shortOf(digest: Buffer): Buffer {
  return digest.subarray(0, SHORT_DIGEST_BYTES);
}

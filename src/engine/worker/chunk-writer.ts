import { OBJECT_KIND } from '../format/header.ts';
import { PackBuilder } from '../format/pack-builder.ts';
import { ChunkTable } from '../index/chunk-table.ts';
import { keyedDigest, SHORT_DIGEST_BYTES } from '../keys/digest.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import { OWN_PACK, type NewPack, type SealedPack, type WriteTables } from './protocol.ts';

export interface ChunkPlace {
  readonly pack: number;
  readonly frame: number;
  readonly digest: Uint8Array;
  readonly isNew: boolean;
}

/** How a chunk writer gets rid of packs and comes by memory for new ones. */
export interface PackPort {
  nextPack(): Promise<NewPack>;
  sealed(pack: SealedPack): void;
}

interface OpenPack {
  readonly number: number;
  readonly buffer: ArrayBuffer;
  readonly builder: PackBuilder;
}

/** Deduplicates, compresses, seals and packs the chunks that one worker cuts for one write. */
export class ChunkWriter {
  readonly #secrets: RepositorySecrets;
  readonly #known: ChunkTable;
  readonly #own: ChunkTable;
  readonly #port: PackPort;
  #open: OpenPack | null = null;

  constructor(secrets: RepositorySecrets, tables: WriteTables, port: PackPort) {
    this.#secrets = secrets;
    this.#known = new ChunkTable(tables.known);
    this.#own = new ChunkTable(tables.own);
    this.#port = port;
  }

  async put(raw: Uint8Array): Promise<ChunkPlace> {
    const full = keyedDigest(this.#secrets.digestKey, raw);
    const digest = full.subarray(0, SHORT_DIGEST_BYTES);
    const known = this.#known.find(digest);
    if (known >= 0) {
      return { pack: this.#known.packAt(known), frame: this.#known.frameAt(known), digest, isNew: false };
    }
    const own = this.#own.find(digest);
    if (own >= 0) {
      return { pack: this.#own.packAt(own), frame: this.#own.frameAt(own), digest, isNew: false };
    }
    const pack = await this.#packFor(raw.length);
    const frame = pack.builder.append(raw, full);
    this.#own.add(digest, OWN_PACK + pack.number, frame);
    return { pack: OWN_PACK + pack.number, frame, digest, isNew: true };
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

  async #packFor(rawBytes: number): Promise<OpenPack> {
    if (this.#open !== null && !this.#open.builder.fits(rawBytes)) {
      this.finish();
    }
    if (this.#open === null) {
      const { id, number, buffer } = await this.#port.nextPack();
      const builder = new PackBuilder(new Uint8Array(buffer), OBJECT_KIND.dataPack, id, this.#secrets);
      this.#open = { number, buffer, builder };
    }
    return this.#open;
  }
}

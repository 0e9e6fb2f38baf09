import { HEADER_BYTES, OBJECT_KIND } from '../format/header.ts';
import type { ObjectId } from '../format/ids.ts';
import { FOOTER_BYTES, PackBuilder, TABLE_ENTRY_BYTES } from '../format/pack-builder.ts';
import { freeAtOnce, TAG_BYTES } from '../format/seal.ts';
import { keyedDigest } from '../keys/digest.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import { ChunkFilter } from './chunk-filter.ts';
import { ENTRY_BYTES, KEY_BYTES } from './index-entries.ts';

/** A block of entries is what a look-up reads: about 8 KiB. */
export const BLOCK_ENTRIES = 340;
const FILTER_PIECE_BYTES = 1024 * 1024;
/** Count of entries, count of bits that all digests begin with. */
export const DIRECTORY_HEAD_BYTES = 8;

/** Which digests a segment has: those that begin with `prefix`, a number of `bits` bits. */
export interface IndexRange {
  readonly bits: number;
  readonly prefix: number;
}

/** Makes one index segment of entries that come in order: blocks, filter, directory, each a frame or several. */
export class IndexSegmentBuilder {
  readonly #buffer: Uint8Array;
  readonly #builder: PackBuilder;
  readonly #secrets: RepositorySecrets;
  readonly #filterBytes: Uint8Array;
  readonly #filter: ChunkFilter;
  readonly #bits: number;
  readonly #firstKeys: Buffer[] = [];
  readonly #block = Buffer.alloc(BLOCK_ENTRIES * ENTRY_BYTES);
  #used = 0;
  #entries = 0;

  /** `memory`: as `bytesFor` says. */
  constructor(
    id: ObjectId,
    secrets: RepositorySecrets,
    maxEntries: number,
    range: IndexRange,
    memory: Uint8Array = new Uint8Array(IndexSegmentBuilder.bytesFor(maxEntries)),
  ) {
    this.#buffer = memory;
    this.#builder = new PackBuilder(this.#buffer, OBJECT_KIND.indexSegment, id, secrets);
    this.#secrets = secrets;
    this.#filterBytes = new Uint8Array(ChunkFilter.bytesFor(maxEntries));
    this.#filter = ChunkFilter.over(this.#filterBytes, range.bits, range.prefix);
    this.#bits = range.bits;
  }

  /** What a segment of so many entries may take at most. */
  static bytesFor(maxEntries: number): number {
    const filterBytes = ChunkFilter.bytesFor(maxEntries);
    const blocks = Math.ceil(maxEntries / BLOCK_ENTRIES);
    const directoryBytes = DIRECTORY_HEAD_BYTES + blocks * KEY_BYTES;
    const frames = blocks + Math.ceil(filterBytes / FILTER_PIECE_BYTES) + 1;
    const content = maxEntries * ENTRY_BYTES + filterBytes + directoryBytes;
    return HEADER_BYTES + content + frames * (TABLE_ENTRY_BYTES + TAG_BYTES) + TAG_BYTES + FOOTER_BYTES;
  }

  get entries(): number {
    return this.#entries;
  }

  add(source: Buffer, at: number): void {
    source.copy(this.#block, this.#used, at, at + ENTRY_BYTES);
    this.#filter.add(source.readUInt32BE(at), source.readUInt32BE(at + 4));
    this.#used += ENTRY_BYTES;
    this.#entries += 1;
    if (this.#used === this.#block.length) {
      this.#endBlock();
    }
  }

  /** The whole object. Nothing can be added afterwards. */
  finish(): Uint8Array {
    if (this.#used > 0) {
      this.#endBlock();
    }
    for (let at = 0; at < this.#filterBytes.length; at += FILTER_PIECE_BYTES) {
      this.#append(this.#filterBytes.subarray(at, at + FILTER_PIECE_BYTES));
    }
    freeAtOnce(this.#filterBytes);
    const head = Buffer.alloc(DIRECTORY_HEAD_BYTES);
    head.writeUInt32LE(this.#entries, 0);
    head.writeUInt32LE(this.#bits, 4);
    this.#append(Buffer.concat([head, ...this.#firstKeys]));
    return this.#buffer.subarray(0, this.#builder.finish());
  }

  #endBlock(): void {
    this.#firstKeys.push(Buffer.from(this.#block.subarray(0, KEY_BYTES)));
    this.#append(this.#block.subarray(0, this.#used));
    this.#used = 0;
  }

  #append(raw: Uint8Array): void {
    this.#builder.append(raw, keyedDigest(this.#secrets.digestKey, raw));
  }
}

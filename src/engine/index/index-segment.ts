import { corrupt, OBJECT_KIND } from '../format/header.ts';
import { isObjectId, type ObjectId } from '../format/ids.ts';
import { FrameOpener, readFrameTable, type Frame, type PackTable, type ReadRange } from '../format/pack-reader.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store, StoredObject } from '../ports/store.ts';
import { ChunkFilter } from './chunk-filter.ts';
import { collectPacks, ENTRY_BYTES, KEY_BYTES, packAt } from './index-entries.ts';
import { BLOCK_ENTRIES, DIRECTORY_HEAD_BYTES, type IndexRange } from './index-segment-builder.ts';

/** Blocks that are read in one piece where all are wanted. */
const BLOCKS_AT_ONCE = 32;

/** One immutable, sorted part of the index: its filter and the first key of each block are in memory. */
export class IndexSegment implements IndexRange {
  readonly name: string;
  readonly id: ObjectId;
  readonly entries: number;
  readonly bits: number;
  readonly filter: ChunkFilter;
  readonly #store: Store;
  readonly #table: PackTable;
  readonly #opener: FrameOpener;
  readonly #directory: Buffer;
  readonly #resident: Buffer | null;

  /** `resident`: all entries, where they are kept in memory. */
  constructor(store: Store, parts: SegmentParts, filter: ChunkFilter, resident: Buffer | null) {
    const { table, opener, directory } = parts;
    this.name = table.opener.name;
    this.id = table.opener.context.objectId;
    this.#store = store;
    this.#table = table;
    this.#opener = opener;
    this.#directory = directory;
    this.#resident = resident;
    this.filter = filter;
    this.entries = directory.readUInt32LE(0);
    this.bits = filter.ref.bits;
  }

  get prefix(): number {
    return this.filter.ref.prefix;
  }

  get blocks(): number {
    return (this.#directory.length - DIRECTORY_HEAD_BYTES) / KEY_BYTES;
  }

  /** Adds the packs that hold such a chunk, if it is in this segment. VAULT_OBJECT_MISSING if that was merged away. */
  async addPacksOf(digest: Buffer, into: Set<ObjectId>, signal?: AbortSignal): Promise<void> {
    if (this.#resident !== null) {
      collectPacks(this.#resident, digest, into);
      return;
    }
    // Entries of the same key may begin at the end of the block before.
    const last = this.#countKeys(digest, true);
    for (let block = Math.max(0, this.#countKeys(digest, false) - 1); block < last; block += 1) {
      collectPacks(await this.#readBlocks(block, block + 1, signal), digest, into);
    }
  }

  /** All entries, in order, some at a time. */
  async *read(signal?: AbortSignal): AsyncIterable<Buffer> {
    if (this.#resident !== null) {
      yield this.#resident;
      return;
    }
    for (let first = 0; first < this.blocks; first += BLOCKS_AT_ONCE) {
      yield await this.#readBlocks(first, Math.min(this.blocks, first + BLOCKS_AT_ONCE), signal);
    }
  }

  /** How many blocks begin with a key below `digest`, or one that is not above it. */
  #countKeys(digest: Buffer, orEqual: boolean): number {
    let low = 0;
    for (let high = this.blocks; low < high;) {
      const middle = (low + high) >> 1;
      const at = DIRECTORY_HEAD_BYTES + middle * KEY_BYTES;
      const order = this.#directory.compare(digest, 0, KEY_BYTES, at, at + KEY_BYTES);
      if (order < 0 || (orEqual && order === 0)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  async #readBlocks(first: number, end: number, signal?: AbortSignal): Promise<Buffer> {
    const from = this.#table.frame(first).offset;
    const last = this.#table.frame(end - 1);
    const sealed = new Uint8Array(last.offset + last.sealedBytes - from);
    await this.#store.getRange(this.name, from, sealed, signal);
    const frames = Array.from({ length: end - first }, (_, i) => this.#table.frame(first + i));
    return openFrames(this.#opener, frames, sealed);
  }
}

interface SegmentParts {
  readonly table: PackTable;
  readonly opener: FrameOpener;
  readonly directory: Buffer;
}

/** A segment of at most `wholeBytes` is read in one piece and kept in memory. VAULT_CORRUPT, VAULT_OBJECT_MISSING. */
export async function openIndexSegment(
  store: Store,
  { name, sizeBytes }: StoredObject,
  secrets: RepositorySecrets,
  { wholeBytes, signal }: { readonly wholeBytes: number; readonly signal?: AbortSignal | undefined },
): Promise<IndexSegment> {
  const id = name.slice(name.lastIndexOf('/') + 1);
  const whole = sizeBytes <= wholeBytes ? await store.get(name, signal) : null;
  const read: ReadRange = async (offset, into) =>
    whole === null ? store.getRange(name, offset, into, signal) : into.set(pieceOf(whole, offset, into.length, name));
  const table = await readFrameTable(read, { name, id, kind: OBJECT_KIND.indexSegment, sizeBytes }, secrets);
  const opener = new FrameOpener(table.opener, secrets.digestKey);
  const readFrames = async (first: number, end: number): Promise<Buffer> => {
    const frames = Array.from({ length: end - first }, (_, i) => table.frame(first + i));
    const sealed = new Uint8Array(frames.reduce((sum, frame) => sum + frame.sealedBytes, 0));
    await read(frames[0]?.offset ?? 0, sealed);
    return openFrames(opener, frames, sealed);
  };
  const directory = await readFrames(table.frameCount - 1, table.frameCount);
  const { bits, blocks } = checkDirectory(directory, table, name);
  const content = await readFrames(blocks, table.frameCount - 1);
  if (content.length === 0 || content.length % ChunkFilter.bytesFor(1) !== 0) {
    throw corrupt(name, `has a filter of ${content.length} bytes`);
  }
  const buffer = new SharedArrayBuffer(content.length);
  new Uint8Array(buffer).set(content);
  const prefix = bits === 0 ? 0 : directory.readUInt32BE(DIRECTORY_HEAD_BYTES) >>> (32 - bits);
  const filter = new ChunkFilter({ buffer, bits, prefix });
  const resident = whole === null ? null : await readFrames(0, blocks);
  return new IndexSegment(store, { table, opener, directory }, filter, resident);
}

/** The packs that a segment lists. VAULT_CORRUPT if any of its blocks does not open. */
export async function packsInSegment(segment: IndexSegment, signal?: AbortSignal): Promise<ReadonlySet<ObjectId>> {
  const packs = new Set<ObjectId>();
  for await (const entries of segment.read(signal)) {
    for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
      packs.add(packAt(entries, at));
    }
  }
  return packs;
}

const SEGMENT_NAME = /^index\/\d{1,10}\/([^/]+)$/;

/** Others leave files in a vault too. */
export function isSegmentName(name: string): boolean {
  return isObjectId(SEGMENT_NAME.exec(name)?.[1] ?? '');
}

function checkDirectory(
  directory: Buffer,
  table: PackTable,
  name: string,
): { readonly bits: number; readonly blocks: number } {
  const blocks = (directory.length - DIRECTORY_HEAD_BYTES) / KEY_BYTES;
  const entries = directory.length < DIRECTORY_HEAD_BYTES ? -1 : directory.readUInt32LE(0);
  const fits = entries > 0 && blocks === Math.ceil(entries / BLOCK_ENTRIES) && table.frameCount > blocks + 1;
  const bits = fits ? directory.readUInt32LE(4) : 0;
  if (!fits || bits > 32) {
    throw corrupt(name, 'has a directory that does not follow its form');
  }
  return { bits, blocks };
}

function pieceOf(whole: Uint8Array, offset: number, length: number, name: string): Uint8Array {
  if (offset < 0 || offset + length > whole.length) {
    throw corrupt(name, `ends before byte ${offset + length}`);
  }
  return whole.subarray(offset, offset + length);
}

/** Frames that follow each other. */
function openFrames(opener: FrameOpener, frames: readonly Frame[], sealed: Uint8Array): Buffer {
  const first = frames[0]?.offset ?? 0;
  return Buffer.concat(
    frames.map((frame) => {
      const at = frame.offset - first;
      return opener.open(frame, sealed.subarray(at, at + frame.sealedBytes));
    }),
  );
}

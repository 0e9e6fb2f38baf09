import { firstIndex } from '../../kernel/first-index.ts';
import { corrupt, OBJECT_KIND } from '../format/header.ts';
import { isObjectId, type ObjectId } from '../format/ids.ts';
import { FrameOpener, readFrameTable, type Frame, type PackTable, type ReadRange } from '../format/pack-reader.ts';
import { freeAtOnce } from '../format/seal.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store, StoredObject } from '../ports/store.ts';
import { ChunkFilter } from './chunk-filter.ts';
import type { FilterMemory } from './filter-memory.ts';
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

  /** Whether all entries are kept in memory. */
  get isResident(): boolean {
    return this.#resident !== null;
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
      const frames = this.#blockFrames(block, block + 1);
      const entries = Buffer.alloc(rawBytes(frames));
      const sealed = new Uint8Array(sealedBytes(frames));
      await this.#readBlocks(frames, { entries, sealed }, signal);
      freeAtOnce(sealed);
      collectPacks(entries, digest, into);
    }
  }

  /** All entries, in order, some at a time; each piece lies where the one before did. */
  async *read(signal?: AbortSignal): AsyncIterable<Buffer> {
    if (this.#resident !== null) {
      yield this.#resident;
      return;
    }
    let memory: BlockMemory = { entries: Buffer.alloc(0), sealed: new Uint8Array(0) };
    for (let first = 0; first < this.blocks; first += BLOCKS_AT_ONCE) {
      const frames = this.#blockFrames(first, Math.min(this.blocks, first + BLOCKS_AT_ONCE));
      const [raw, sealed] = [rawBytes(frames), sealedBytes(frames)];
      if (memory.entries.length < raw || memory.sealed.length < sealed) {
        memory = { entries: Buffer.alloc(raw), sealed: new Uint8Array(sealed) };
      }
      const piece = { entries: memory.entries.subarray(0, raw), sealed: memory.sealed.subarray(0, sealed) };
      await this.#readBlocks(frames, piece, signal);
      yield piece.entries;
    }
    freeAtOnce(memory.entries);
    freeAtOnce(memory.sealed);
  }

  /** How many blocks begin with a key below `digest`, or one that is not above it. */
  #countKeys(digest: Buffer, orEqual: boolean): number {
    return firstIndex(this.blocks, (block) => {
      const at = DIRECTORY_HEAD_BYTES + block * KEY_BYTES;
      const order = this.#directory.compare(digest, 0, KEY_BYTES, at, at + KEY_BYTES);
      return orEqual ? order > 0 : order >= 0;
    });
  }

  #blockFrames(first: number, end: number): readonly Frame[] {
    return Array.from({ length: end - first }, (_, i) => this.#table.frame(first + i));
  }

  async #readBlocks(frames: readonly Frame[], { entries, sealed }: BlockMemory, signal?: AbortSignal): Promise<void> {
    await this.#store.getRange(this.name, frames[0]?.offset ?? 0, sealed, signal);
    openFrames(this.#opener, frames, sealed, entries);
  }
}

/** Room for the entries of some blocks, and for what they are sealed. */
interface BlockMemory {
  readonly entries: Buffer;
  readonly sealed: Uint8Array;
}

interface SegmentParts {
  readonly table: PackTable;
  readonly opener: FrameOpener;
  readonly directory: Buffer;
}

export interface OpenSegmentOptions {
  /** Where its filter is to lie, until it is given up; left out, it is shared with nobody. */
  readonly filters?: FilterMemory;
  readonly wholeBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/** A segment of at most `wholeBytes` is read in one piece and kept in memory. VAULT_CORRUPT, VAULT_OBJECT_MISSING. */
export async function openIndexSegment(
  store: Store,
  { name, sizeBytes }: StoredObject,
  secrets: RepositorySecrets,
  { filters, wholeBytes, signal }: OpenSegmentOptions,
): Promise<IndexSegment> {
  const id = name.slice(name.lastIndexOf('/') + 1);
  const whole = sizeBytes <= wholeBytes ? await store.get(name, { signal, maxBytes: wholeBytes }) : null;
  const read: ReadRange = async (offset, into) =>
    whole === null ? store.getRange(name, offset, into, signal) : into.set(pieceOf(whole, offset, into.length, name));
  const table = await readFrameTable(read, { name, id, kind: OBJECT_KIND.indexSegment, sizeBytes }, secrets);
  const opener = new FrameOpener(table.opener, secrets.digestKey);
  const readFrames = async <T extends Uint8Array>(first: number, end: number, make: MakeMemory<T>): Promise<T> => {
    const frames = Array.from({ length: end - first }, (_, i) => table.frame(first + i));
    const into = make(rawBytes(frames));
    const sealed = new Uint8Array(sealedBytes(frames));
    await read(frames[0]?.offset ?? 0, sealed);
    openFrames(opener, frames, sealed, into);
    freeAtOnce(sealed);
    return into;
  };
  const toBuffer: MakeMemory<Buffer> = (bytes) => Buffer.alloc(bytes);
  const directory = await readFrames(table.frameCount - 1, table.frameCount, toBuffer);
  const { bits, blocks } = checkDirectory(directory, table, name);
  const resident = whole === null ? null : await readFrames(0, blocks, toBuffer);
  const prefix = bits === 0 ? 0 : directory.readUInt32BE(DIRECTORY_HEAD_BYTES) >>> (32 - bits);
  const stored = await readFrames(blocks, table.frameCount - 1, (bytes) => filterMemory(bytes, name));
  const parts = { table, opener, directory };
  if (filters === undefined) {
    return new IndexSegment(store, parts, ChunkFilter.over(stored, bits, prefix), resident);
  }
  const filter = ChunkFilter.load(filters, stored, bits, prefix);
  // Hundreds are opened at once: these copies would wait for the garbage collector.
  freeAtOnce(stored);
  return new IndexSegment(store, parts, filter, resident);
}

type MakeMemory<T extends Uint8Array> = (bytes: number) => T;

function filterMemory(bytes: number, name: string): Uint8Array {
  if (!ChunkFilter.isLength(bytes)) {
    throw corrupt(name, `has a filter of ${bytes} bytes`);
  }
  return new Uint8Array(bytes);
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

/** Frames that follow each other: the outcome one after the other in `into`, which is as long as all of them. */
function openFrames(opener: FrameOpener, frames: readonly Frame[], sealed: Uint8Array, into: Uint8Array): void {
  const first = frames[0]?.offset ?? 0;
  let to = 0;
  for (const frame of frames) {
    const at = frame.offset - first;
    opener.openInto(frame, sealed.subarray(at, at + frame.sealedBytes), into.subarray(to, to + frame.rawBytes));
    to += frame.rawBytes;
  }
}

function rawBytes(frames: readonly Frame[]): number {
  return frames.reduce((sum, frame) => sum + frame.rawBytes, 0);
}

function sealedBytes(frames: readonly Frame[]): number {
  return frames.reduce((sum, frame) => sum + frame.sealedBytes, 0);
}

import { corrupt } from '../format/header.ts';
import { idBytes, type ObjectId } from '../format/ids.ts';
import { SHORT_DIGEST_BYTES } from '../keys/digest.ts';

/** Where a chunk lies. */
export interface ChunkRef {
  readonly pack: ObjectId;
  readonly frame: number;
  /** The first 16 bytes. */
  readonly digest: Uint8Array;
}

/** Consecutive blocks of a disk: a chunk, or a hole (null). */
export interface ManifestEntry {
  readonly blocks: number;
  readonly chunk: ChunkRef | null;
}

/** What blocks `start` to `end` of a segment consist of. */
export interface SegmentRun {
  readonly start: number;
  readonly end: number;
  readonly entries: readonly ManifestEntry[];
}

/** All (checkpoint) or some (delta) of one segment. */
export interface SegmentRecord {
  readonly segment: number;
  readonly runs: readonly SegmentRun[];
}

const HOLE = 0xffff;

/**
 * Count of packs, their ids; count of records; each: segment, count of runs; each: start, end, count of entries; each:
 * blocks and either 0xffff (a hole) or the pack's position, frame and digest. u16, but the counts of packs and records
 * and the segment, which are u32; little-endian.
 */
export function encodeRecords(records: readonly SegmentRecord[]): Buffer {
  const packs = new Map<ObjectId, number>();
  const writer = new Writer(records.reduce((sum, record) => sum + encodedBytes(record), 0));
  for (const { segment, runs } of records) {
    writer.u32(segment);
    writer.u16(runs.length);
    for (const run of runs) {
      writer.u16(run.start);
      writer.u16(run.end);
      writer.u16(run.entries.length);
      run.entries.forEach((entry) => writeEntry(writer, entry, packs));
    }
  }
  const head = new Writer(8 + 16 * packs.size);
  head.u32(packs.size);
  for (const id of packs.keys()) {
    head.bytes(idBytes(id));
  }
  head.u32(records.length);
  return Buffer.concat([head.buffer, writer.buffer]);
}

export function decodeRecords(data: Buffer, name: string): SegmentRecord[] {
  const reader = new Reader(data);
  try {
    const packs = repeat(reader.u32(), () => reader.take(16).toString('hex'));
    return repeat(reader.u32(), () => ({
      segment: reader.u32(),
      runs: repeat(reader.u16(), () => ({
        start: reader.u16(),
        end: reader.u16(),
        entries: repeat(reader.u16(), () => readEntry(reader, packs)),
      })),
    }));
  } catch (error) {
    throw corrupt(name, 'holds a manifest that does not follow its form', error);
  }
}

/** The data packs that some entry names. */
export function decodePackIds(data: Buffer, name: string): ObjectId[] {
  const reader = new Reader(data);
  try {
    return repeat(reader.u32(), () => reader.take(16).toString('hex'));
  } catch (error) {
    throw corrupt(name, 'holds a manifest that does not follow its form', error);
  }
}

/** An entry that is no hole: where it is, what it names, and where its short digest is. */
export type VisitChunk = (place: EntryPlace, pack: number, frame: number, digestAt: number) => void;

/** Blocks of a segment. The object is the visitor's, which uses it again. */
export interface EntryPlace {
  segment: number;
  start: number;
  end: number;
}

/**
 * Calls `use` for every chunk that some entry names: the pack's position in what `decodePackIds` gives, the frame, and
 * where in `data` the short digest is. Makes no objects: for whoever goes through all manifests there are.
 */
export function visitChunks(data: Buffer, name: string, use: VisitChunk): void {
  visitRecords(data, name, () => undefined, use);
}

/** Calls `use` for every run. */
export function visitRuns(data: Buffer, name: string, use: (run: EntryPlace) => void): void {
  visitRecords(data, name, use, () => undefined);
}

function visitRecords(data: Buffer, name: string, useRun: (run: EntryPlace) => void, use: VisitChunk): void {
  const place: EntryPlace = { segment: 0, start: 0, end: 0 };
  try {
    const packs = data.readUInt32LE(0);
    const recordsAt = 4 + 16 * packs;
    let at = recordsAt + 4;
    for (let records = data.readUInt32LE(recordsAt); records > 0; records -= 1) {
      place.segment = data.readUInt32LE(at);
      const runs = data.readUInt16LE(at + 4);
      at += 6;
      for (let run = 0; run < runs; run += 1) {
        place.start = data.readUInt16LE(at);
        place.end = data.readUInt16LE(at + 2);
        useRun(place);
        at = visitRun(data, at, [packs, place], use);
      }
    }
  } catch (error) {
    throw error instanceof RangeError ? corrupt(name, 'holds a manifest that does not follow its form', error) : error;
  }
}

/** Returns where the next run begins. */
function visitRun(data: Buffer, start: number, [packs, place]: readonly [number, EntryPlace], use: VisitChunk): number {
  let at = start + 6;
  place.end = place.start;
  for (let entries = data.readUInt16LE(start + 4); entries > 0; entries -= 1) {
    place.start = place.end;
    place.end += data.readUInt16LE(at);
    const pack = data.readUInt16LE(at + 2);
    if (pack === HOLE) {
      at += 4;
      continue;
    }
    if (pack >= packs || at + 6 + SHORT_DIGEST_BYTES > data.length) {
      throw new RangeError(`no pack ${pack}, or no digest`);
    }
    use(place, pack, data.readUInt16LE(at + 4), at + 6);
    at += 6 + SHORT_DIGEST_BYTES;
  }
  return at;
}

function encodedBytes(record: SegmentRecord): number {
  const entryBytes = (entry: ManifestEntry): number => (entry.chunk === null ? 4 : 6 + SHORT_DIGEST_BYTES);
  const runBytes = (run: SegmentRun): number => run.entries.reduce((sum, entry) => sum + entryBytes(entry), 6);
  return record.runs.reduce((sum, run) => sum + runBytes(run), 6);
}

function writeEntry(writer: Writer, { blocks, chunk }: ManifestEntry, packs: Map<ObjectId, number>): void {
  writer.u16(blocks);
  if (chunk === null) {
    writer.u16(HOLE);
    return;
  }
  const position = packs.get(chunk.pack) ?? packs.size;
  packs.set(chunk.pack, position);
  writer.u16(position);
  writer.u16(chunk.frame);
  writer.bytes(chunk.digest);
}

function readEntry(reader: Reader, packs: readonly ObjectId[]): ManifestEntry {
  const blocks = reader.u16();
  const position = reader.u16();
  if (position === HOLE) {
    return { blocks, chunk: null };
  }
  const pack = packs[position];
  if (pack === undefined) {
    throw new RangeError(`no pack ${position}`);
  }
  return { blocks, chunk: { pack, frame: reader.u16(), digest: reader.take(SHORT_DIGEST_BYTES) } };
}

function repeat<T>(count: number, make: () => T): T[] {
  const made: T[] = [];
  for (let i = 0; i < count; i += 1) {
    made.push(make());
  }
  return made;
}

class Writer {
  readonly buffer: Buffer;
  #at = 0;

  constructor(size: number) {
    this.buffer = Buffer.alloc(size);
  }

  u16(value: number): void {
    this.#at = this.buffer.writeUInt16LE(value, this.#at);
  }

  u32(value: number): void {
    this.#at = this.buffer.writeUInt32LE(value, this.#at);
  }

  bytes(data: Uint8Array): void {
    this.buffer.set(data, this.#at);
    this.#at += data.length;
  }
}

class Reader {
  readonly #data: Buffer;
  #at = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  u16(): number {
    this.#at += 2;
    return this.#data.readUInt16LE(this.#at - 2);
  }

  u32(): number {
    this.#at += 4;
    return this.#data.readUInt32LE(this.#at - 4);
  }

  take(length: number): Buffer {
    this.#at += length;
    if (this.#at > this.#data.length) {
      throw new RangeError('the data ends too early');
    }
    return this.#data.subarray(this.#at - length, this.#at);
  }
}

import type { ObjectId } from '../format/ids.ts';
import { keyedDigest } from '../keys/digest.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import { rangePrefix } from './chunk-filter.ts';
import { compareEntries, ENTRY_BYTES, packAt } from './index-entries.ts';
import type { IndexSegment } from './index-segment.ts';
import { IndexSegmentBuilder, type IndexRange } from './index-segment-builder.ts';

/** Ranges are not equally full: that much more, and that many, have room in a segment. */
const UNEVEN = 1.02;
const UNEVEN_ENTRIES = 1000;

export interface MergedSegment {
  readonly id: ObjectId;
  readonly data: Uint8Array;
}

export interface Merge {
  readonly inputs: readonly IndexSegment[];
  readonly bits: number;
  /** Their entries are left out. */
  readonly gone: ReadonlySet<ObjectId>;
}

/**
 * The entries of all inputs in order, each once, divided into ranges; one result at a time is in memory. Named by its
 * inputs: who merges the same segments at the same time, or again, makes segments of the same names.
 */
export async function* mergeSegments(
  { inputs, bits, gone }: Merge,
  secrets: RepositorySecrets,
  signal?: AbortSignal,
): AsyncIterable<MergedSegment> {
  const output = new MergeOutput(inputs, bits, secrets);
  const cursors = inputs.map((segment) => new Cursor(segment.read(signal)));
  const live = new Set<Cursor>();
  for (const cursor of cursors) {
    if (await cursor.load()) {
      live.add(cursor);
    }
  }
  while (live.size > 0) {
    const cursor = leastOf(live);
    if (gone.size === 0 || !gone.has(packAt(cursor.entries, cursor.at))) {
      yield* output.add(cursor.entries, cursor.at);
    }
    if (!cursor.advance() && !(await cursor.load())) {
      live.delete(cursor);
    }
  }
  yield* output.end();
}

/** Where the merge is in one input. */
class Cursor {
  readonly #blocks: AsyncIterator<Buffer>;
  entries: Buffer = Buffer.alloc(0);
  at = 0;
  /** The first eight bytes of the entry that it is at, as two numbers: what nearly all comparisons end with. */
  #high = 0;
  #low = 0;

  constructor(blocks: AsyncIterable<Buffer>) {
    this.#blocks = blocks[Symbol.asyncIterator]();
  }

  /** False when there is nothing more. */
  async load(): Promise<boolean> {
    const next = await this.#blocks.next();
    this.entries = next.done === true ? Buffer.alloc(0) : next.value;
    return this.#goTo(0);
  }

  /** False when more has to be loaded first. */
  advance(): boolean {
    return this.#goTo(this.at + ENTRY_BYTES);
  }

  isBefore(other: Cursor): boolean {
    const order = this.#high - other.#high || this.#low - other.#low;
    return order < 0 || (order === 0 && compareEntries(this.entries, this.at, other.entries, other.at) < 0);
  }

  #goTo(at: number): boolean {
    this.at = at;
    if (at >= this.entries.length) {
      return false;
    }
    this.#high = this.entries.readUInt32BE(at);
    this.#low = this.entries.readUInt32BE(at + 4);
    return true;
  }
}

function leastOf(cursors: ReadonlySet<Cursor>): Cursor {
  let least: Cursor | null = null;
  for (const cursor of cursors) {
    if (least === null || cursor.isBefore(least)) {
      least = cursor;
    }
  }
  if (least === null) {
    throw new RangeError('nothing is left to merge');
  }
  return least;
}

/** Divides what it is given into segments. */
class MergeOutput {
  readonly #secrets: RepositorySecrets;
  readonly #names: Buffer;
  readonly #bits: number;
  readonly #room: number;
  readonly #last = Buffer.alloc(ENTRY_BYTES);
  #range: IndexRange = { bits: 0, prefix: -1 };
  #open: { readonly id: ObjectId; readonly builder: IndexSegmentBuilder } | null = null;
  #made = 0;

  constructor(inputs: readonly IndexSegment[], bits: number, secrets: RepositorySecrets) {
    const total = inputs.reduce((sum, { entries }) => sum + entries, 0);
    const parts = 2 ** (bits - (inputs[0]?.bits ?? 0));
    this.#secrets = secrets;
    this.#names = Buffer.from(JSON.stringify([bits, ...inputs.map(({ id }) => id).toSorted()]), 'utf8');
    this.#bits = bits;
    this.#room = Math.min(total, Math.ceil((total / parts) * UNEVEN) + UNEVEN_ENTRIES);
  }

  /** What became full. */
  *add(entries: Buffer, at: number): Iterable<MergedSegment> {
    if (compareEntries(entries, at, this.#last, 0) === 0) {
      return;
    }
    entries.copy(this.#last, 0, at, at + ENTRY_BYTES);
    const prefix = rangePrefix(entries.readUInt32BE(at), this.#bits);
    if (prefix !== this.#range.prefix || this.#open?.builder.entries === this.#room) {
      yield* this.end();
      this.#range = { bits: this.#bits, prefix };
    }
    this.#open ??= this.#begin();
    this.#open.builder.add(entries, at);
  }

  *end(): Iterable<MergedSegment> {
    const open = this.#open;
    this.#open = null;
    if (open !== null) {
      yield { id: open.id, data: open.builder.finish() };
    }
  }

  #begin(): { readonly id: ObjectId; readonly builder: IndexSegmentBuilder } {
    const place = Buffer.alloc(4);
    place.writeUInt32LE(this.#made);
    this.#made += 1;
    const name = keyedDigest(this.#secrets.nameKey, Buffer.from('index merge\0'), place, this.#names);
    const id = name.toString('hex', 0, 16);
    return { id, builder: new IndexSegmentBuilder(id, this.#secrets, this.#room, this.#range) };
  }
}

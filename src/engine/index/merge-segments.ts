import type { ObjectId } from '../format/ids.ts';
import { keyedDigest } from '../keys/digest.ts';
import { freeAtOnce } from '../format/seal.ts';
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
 * The entries of all inputs in order, each once, divided into ranges; one result at a time is in memory, and overwritten
 * by the next. Named by its inputs and what it leaves out, which decide where one ends and the next begins: who merges the
 * same segments at the same time, or again, makes the same segments, or others under other names.
 */
export async function* mergeSegments(
  { inputs, bits, gone }: Merge,
  secrets: RepositorySecrets,
  signal?: AbortSignal,
): AsyncIterable<MergedSegment> {
  const output = new MergeOutput({ inputs, bits, gone }, secrets);
  const cursors = inputs.map((segment) => new Cursor(segment.read(signal)));
  const live: Cursor[] = [];
  for (const cursor of cursors) {
    if (await cursor.load()) {
      live.push(cursor);
    }
  }
  for (let cursor = leastOf(live); cursor !== null; cursor = leastOf(live)) {
    const { entries, at } = cursor;
    if (!output.hasJust(entries, at) && (gone.size === 0 || !gone.has(packAt(entries, at)))) {
      const full = output.endBefore(entries, at);
      if (full !== null) {
        yield full;
      }
      output.add(entries, at);
    }
    if (!cursor.advance() && !(await cursor.load())) {
      live.splice(live.indexOf(cursor), 1);
    }
  }
  const last = output.end();
  if (last !== null) {
    yield last;
  }
  output.free();
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

function leastOf(cursors: readonly Cursor[]): Cursor | null {
  let least: Cursor | null = null;
  for (const cursor of cursors) {
    if (least === null || cursor.isBefore(least)) {
      least = cursor;
    }
  }
  return least;
}

/** Divides what it is given into segments. One that it gives is overwritten by the next. */
class MergeOutput {
  readonly #secrets: RepositorySecrets;
  readonly #names: Buffer;
  readonly #bits: number;
  readonly #room: number;
  readonly #memory: Uint8Array;
  readonly #last = Buffer.alloc(ENTRY_BYTES);
  #range: IndexRange = { bits: 0, prefix: -1 };
  #open: { readonly id: ObjectId; readonly builder: IndexSegmentBuilder } | null = null;
  #made = 0;

  constructor({ inputs, bits, gone }: Merge, secrets: RepositorySecrets) {
    const total = inputs.reduce((sum, { entries }) => sum + entries, 0);
    const parts = 2 ** (bits - (inputs[0]?.bits ?? 0));
    this.#secrets = secrets;
    const ids = inputs.map(({ id }) => id).toSorted();
    this.#names = Buffer.from(JSON.stringify([bits, ids, [...gone].toSorted()]), 'utf8');
    this.#bits = bits;
    this.#room = Math.min(total, Math.ceil((total / parts) * UNEVEN) + UNEVEN_ENTRIES);
    this.#memory = new Uint8Array(IndexSegmentBuilder.bytesFor(this.#room));
  }

  /** Whether this is the entry that was added last. */
  hasJust(entries: Buffer, at: number): boolean {
    return compareEntries(entries, at, this.#last, 0) === 0;
  }

  /** What is full, if this entry does not belong to it. */
  endBefore(entries: Buffer, at: number): MergedSegment | null {
    const prefix = rangePrefix(entries.readUInt32BE(at), this.#bits);
    if (prefix === this.#range.prefix && this.#open?.builder.entries !== this.#room) {
      return null;
    }
    this.#range = { bits: this.#bits, prefix };
    return this.end();
  }

  add(entries: Buffer, at: number): void {
    entries.copy(this.#last, 0, at, at + ENTRY_BYTES);
    this.#open ??= this.#begin();
    this.#open.builder.add(entries, at);
  }

  end(): MergedSegment | null {
    const open = this.#open;
    this.#open = null;
    return open === null ? null : { id: open.id, data: open.builder.finish() };
  }

  /** When nobody needs the last segment any more. */
  free(): void {
    freeAtOnce(this.#memory);
  }

  #begin(): { readonly id: ObjectId; readonly builder: IndexSegmentBuilder } {
    const place = Buffer.alloc(4);
    place.writeUInt32LE(this.#made);
    this.#made += 1;
    const name = keyedDigest(this.#secrets.nameKey, Buffer.from('index merge\0'), place, this.#names);
    const id = name.toString('hex', 0, 16);
    return { id, builder: new IndexSegmentBuilder(id, this.#secrets, this.#room, this.#range, this.#memory) };
  }
}

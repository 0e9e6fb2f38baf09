import { abortReason, throwIfAborted } from '../../kernel/abort.ts';
import { AppError } from '../../kernel/errors.ts';
import { SEGMENTS_PER_GROUP } from '../manifest/manifest-reader.ts';
import type { ManifestWriter } from '../manifest/manifest-writer.ts';
import type { SettledSegments } from './journal.ts';
import { decodeRecords, encodeRecords, type SegmentRecord } from '../manifest/segment-record.ts';

/** How many groups, from the first that is not complete on, may be worked at: 16 GiB of a disk with usual parameters. */
export const GROUPS_AHEAD = 8;

/**
 * Collects the records of a write, which settle in about the order of the disk, and hands each group on when it and all
 * before it are complete: memory holds what is under way, however large the disk is, as
 * long as nobody takes up segments that are far ahead.
 */
export class LayerSpill {
  readonly #writer: ManifestWriter;
  readonly #earlier: SettledSegments;
  readonly #signal: AbortSignal;
  readonly #groups: { readonly group: number; readonly at: number; readonly segments: number[]; left: number }[] = [];
  readonly #byGroup = new Map<number, { readonly at: number; left: number }>();
  /** Encoded, one each. */
  readonly #waiting = new Map<number, Buffer>();
  #next = 0;
  #left = 0;
  #turn: Promise<void> = Promise.resolve();
  #progress = Promise.withResolvers<void>();

  /** `segments`: all that are to be written, ascending. */
  constructor(writer: ManifestWriter, segments: readonly number[], earlier: SettledSegments, signal: AbortSignal) {
    this.#writer = writer;
    this.#earlier = earlier;
    this.#signal = signal;
    for (const segment of segments) {
      const group = Math.floor(segment / SEGMENTS_PER_GROUP);
      let last = this.#groups.at(-1);
      if (last?.group !== group) {
        last = { group, at: this.#groups.length, segments: [], left: 0 };
        this.#groups.push(last);
        this.#byGroup.set(group, last);
      }
      last.segments.push(segment);
      const left = earlier.has(segment) ? 0 : 1;
      last.left += left;
      this.#left += left;
    }
  }

  /** A segment that is to be written; none is given twice. */
  async add(record: SegmentRecord): Promise<void> {
    const group = this.#byGroup.get(Math.floor(record.segment / SEGMENTS_PER_GROUP));
    if (group === undefined) {
      throw new RangeError(`segment ${record.segment} was not to be written`);
    }
    this.#waiting.set(record.segment, encodeRecords([record]));
    group.left -= 1;
    this.#left -= 1;
    if (group.left === 0) {
      await this.#advance();
    }
  }

  /** Whether the record of this segment would have to wait for more others than there is memory for. */
  isFarAhead(segment: number): boolean {
    const at = this.#byGroup.get(Math.floor(segment / SEGMENTS_PER_GROUP))?.at ?? 0;
    return at >= this.#next + GROUPS_AHEAD;
  }

  /** Until it is so no more. Segments are taken up in their order, so that somebody is at work on what is waited for. */
  async untilCloser(segment: number): Promise<void> {
    for (;;) {
      const { promise } = this.#progress;
      // What an earlier call settled was never added.
      await this.#advance();
      if (!this.isFarAhead(segment)) {
        return;
      }
      await this.#orAborted(promise);
    }
  }

  /** A segment that is missing would be read as what the base had there: that must never become a restore point. */
  async finish(): Promise<void> {
    if (this.#left > 0) {
      throw new AppError('INTERNAL', `${this.#left} segments of a disk were not written.`);
    }
    await this.#advance();
  }

  #advance(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#handOn());
    return this.#turn;
  }

  async #handOn(): Promise<void> {
    for (let at = this.#groups[this.#next]; at?.left === 0; at = this.#groups[this.#next]) {
      const records: SegmentRecord[] = [];
      for (const segment of at.segments) {
        records.push(await this.#take(segment));
      }
      await this.#writer.addGroup(at.group, records, this.#signal);
      this.#byGroup.delete(at.group);
      this.#next += 1;
      this.#progress.resolve();
      this.#progress = Promise.withResolvers();
    }
  }

  async #orAborted(progress: Promise<void>): Promise<void> {
    throwIfAborted(this.#signal);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => reject(abortReason(this.#signal));
    this.#signal.addEventListener('abort', abort, { once: true });
    void progress.then(resolve);
    await promise.finally(() => this.#signal.removeEventListener('abort', abort));
  }

  async #take(segment: number): Promise<SegmentRecord> {
    const encoded = this.#waiting.get(segment);
    this.#waiting.delete(segment);
    const [record] = encoded === undefined ? [] : decodeRecords(encoded, 'a record of this write');
    return record ?? this.#earlier.read(segment);
  }
}

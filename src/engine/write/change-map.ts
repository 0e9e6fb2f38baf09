import { createHash } from 'node:crypto';
import type { BlockRun } from '../chunking/plan-windows.ts';
import type { DiskGeometry } from '../disk-geometry.ts';
import type { ByteRange } from '../ports/block-io.ts';

/** What trackers of changes count in: sixteen blocks. */
const COARSE_BLOCKS = 16;

/**
 * Which blocks of a disk may differ from its base: a bit for every 64 KiB where all changes are whole pieces of that, for
 * every block otherwise. Memory that no change touches is not taken up. A disk that grew or shrank since is dirty from
 * the last block that both sizes have to its end.
 */
export class ChangeMap {
  readonly #geometry: DiskGeometry;
  readonly #blocks: number;
  readonly #perSegment: number;
  readonly #grain: number;
  readonly #bits: Uint8Array;
  readonly #isDirty: Uint8Array;

  constructor(changed: readonly ByteRange[], geometry: DiskGeometry, baseSizeBytes: number) {
    const { blockBytes, segmentBytes, sizeBytes } = geometry;
    this.#geometry = geometry;
    this.#blocks = Math.ceil(sizeBytes / blockBytes);
    this.#perSegment = segmentBytes / blockBytes;
    const common = Math.floor(Math.min(baseSizeBytes, sizeBytes) / blockBytes);
    const isResized = baseSizeBytes !== sizeBytes;
    const piece = COARSE_BLOCKS * blockBytes;
    const isWhole = ({ offset, length }: ByteRange): boolean =>
      offset % piece === 0 && (length % piece === 0 || offset + length >= sizeBytes);
    const isCoarse = !isResized && this.#perSegment % COARSE_BLOCKS === 0 && changed.every(isWhole);
    this.#grain = isCoarse ? COARSE_BLOCKS : 1;
    this.#bits = new Uint8Array(Math.ceil(this.#blocks / this.#grain / 8));
    this.#isDirty = new Uint8Array(geometry.segmentCount);
    for (const { offset, length } of changed) {
      if (length > 0) {
        this.#mark(Math.floor(offset / blockBytes), Math.min(this.#blocks, Math.ceil((offset + length) / blockBytes)));
      }
    }
    if (isResized) {
      this.#mark(Math.max(0, common - 1), this.#blocks);
    }
  }

  /** Those with dirty blocks, ascending. */
  get segments(): number[] {
    const segments: number[] = [];
    for (let at = this.#isDirty.indexOf(1); at >= 0; at = this.#isDirty.indexOf(1, at + 1)) {
      segments.push(at);
    }
    return segments;
  }

  get bytes(): number {
    const { blockBytes } = this.#geometry;
    let bytes = 0;
    for (const segment of this.segments) {
      for (const { start, end } of this.runs(segment)) {
        bytes += Math.min(end * blockBytes, this.#geometry.bytesIn(segment)) - start * blockBytes;
      }
    }
    return bytes;
  }

  /** Ascending, apart from each other, counted within the segment. */
  runs(segment: number): BlockRun[] {
    const runs: BlockRun[] = [];
    if (this.#isDirty[segment] !== 1) {
      return runs;
    }
    const first = segment * this.#perSegment;
    const limit = Math.min(first + this.#perSegment, this.#blocks);
    for (let end = first; ;) {
      const start = this.#find(end, limit, true);
      if (start === limit) {
        return runs;
      }
      end = this.#find(start, limit, false);
      runs.push({ start: start - first, end: end - first });
    }
  }

  overlaps(segment: number, { start, end }: BlockRun): boolean {
    const first = segment * this.#perSegment;
    const limit = first + Math.min(end, this.#perSegment);
    return this.#find(first + start, limit, true) < limit;
  }

  /** The same for the same changes: tells writes apart. */
  digest(): string {
    const hash = createHash('sha256').update(JSON.stringify([this.#grain, this.#blocks]));
    const bytes = Math.ceil(this.#perSegment / this.#grain / 8) + 1;
    for (const segment of this.segments) {
      const from = Math.floor((segment * this.#perSegment) / this.#grain / 8);
      hash.update(`${segment} `).update(this.#bits.subarray(from, from + bytes));
    }
    return hash.digest('hex');
  }

  /** The first block from one on that is dirty, or is not; the limit if there is none. */
  #find(from: number, limit: number, isDirty: boolean): number {
    const same = isDirty ? 0 : 255;
    const last = Math.ceil(limit / this.#grain);
    for (let bit = Math.floor(from / this.#grain); bit < last;) {
      const byte = this.#bits[Math.floor(bit / 8)] ?? 0;
      if (byte === same) {
        bit += 8 - (bit % 8);
      } else if (((byte & (1 << (bit % 8))) !== 0) === isDirty) {
        return Math.max(from, bit * this.#grain);
      } else {
        bit += 1;
      }
    }
    return limit;
  }

  #mark(start: number, end: number): void {
    if (start >= end) {
      return;
    }
    const last = Math.ceil(end / this.#grain);
    for (let bit = Math.floor(start / this.#grain); bit < last;) {
      if (bit % 8 === 0 && last - bit >= 8) {
        const bytes = Math.floor((last - bit) / 8);
        this.#bits.fill(255, bit / 8, bit / 8 + bytes);
        bit += 8 * bytes;
      } else {
        const at = Math.floor(bit / 8);
        this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (bit % 8));
        bit += 1;
      }
    }
    this.#isDirty.fill(1, Math.floor(start / this.#perSegment), Math.floor((end - 1) / this.#perSegment) + 1);
  }
}

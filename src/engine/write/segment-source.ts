import { limit as limitConcurrency } from '../../kernel/limit.ts';
import { settleAll } from '../../kernel/settle-all.ts';
import type { BlockRun } from '../chunking/plan-windows.ts';
import type { DiskGeometry } from '../disk-geometry.ts';
import type { PlacedEntry } from '../manifest/segment-table.ts';
import type { ChunkRef } from '../manifest/segment-record.ts';
import type { ChunkReader } from '../restore/chunk-reader.ts';
import type { BlockSource } from '../types.ts';
import { isDamage } from '../verify/diagnose.ts';
import { mergeRuns } from './changed-blocks.ts';

const PIECE_BYTES = 1024 * 1024;

export interface LoadRequest extends BlockRun {
  readonly segment: number;
  /** By how many blocks it lies nearer to the slot's beginning than to the segment's. */
  readonly shift: number;
  /** Empty when the segment is read whole. */
  readonly old: readonly PlacedEntry[];
  readonly dirty: readonly BlockRun[];
}

/** Brings blocks of a disk into a slot: what changed from the source, known holes as zeros, the rest as it is told. */
export class SegmentSource {
  readonly #source: BlockSource;
  readonly #geometry: DiskGeometry;
  readonly #vault: ChunkReader | null;
  readonly #signal: AbortSignal;
  readonly #turn: <T>(work: () => Promise<T>) => Promise<T>;
  #bytesRead = 0;

  /** `vault`: where unchanged chunks are read from; null: from the source too. */
  constructor(source: BlockSource, geometry: DiskGeometry, vault: ChunkReader | null, signal: AbortSignal) {
    this.#source = source;
    this.#geometry = geometry;
    this.#vault = vault;
    this.#signal = signal;
    this.#turn = limitConcurrency(this.concurrency);
  }

  /** Reads that it answers at once. */
  get concurrency(): number {
    return Math.max(1, this.#source.concurrency);
  }

  /** Blocks that a slot has room for: as many as a segment has. */
  get slotBlocks(): number {
    return this.#geometry.segmentBytes / this.#geometry.blockBytes;
  }

  /** Bytes read since it was asked last. */
  takeBytesRead(): number {
    const bytes = this.#bytesRead;
    this.#bytesRead = 0;
    return bytes;
  }

  /**
   * Fills the blocks `start` to `end` of a segment, all shifted alike, in `slot`. Returns those that are known to be zero:
   * of each such run only as much is zeros in the slot as a chunk that begins before it can have of it.
   */
  async load(request: LoadRequest, slot: Uint8Array): Promise<readonly BlockRun[]> {
    const { start, end, old, dirty } = request;
    const isWhole = old.length === 0;
    const kept = isWhole
      ? []
      : clip(
          old.filter((chunk) => !chunk.isHole),
          start,
          end,
        );
    const fromSource = isWhole ? [{ start, end }] : clip(mergeRuns(dirty), start, end);
    const filled = mergeRuns([...fromSource, ...kept]);
    const zeros = this.#clearAround(filled, request, slot);
    if (this.#vault === null) {
      await this.#read(filled, request, slot);
      return zeros;
    }
    for (const chunk of old.filter((place) => place.start < end && place.end > start && !place.isHole)) {
      await this.#loadOld(chunk, request, slot);
    }
    await this.#read(fromSource, request, slot);
    return zeros;
  }

  /** Zeros where nothing is read to: at the beginning of holes, and past the disk's end. Returns the holes. */
  #clearAround(filled: readonly BlockRun[], { start, end, segment, shift }: LoadRequest, slot: Uint8Array): BlockRun[] {
    const { blockBytes, minChunkBytes } = this.#geometry;
    const holes: BlockRun[] = [];
    let at = start;
    for (const run of [...filled, { start: end, end }]) {
      if (at < run.start) {
        holes.push({ start: at, end: run.start });
        const from = (at - shift) * blockBytes;
        slot.fill(0, from, Math.min((run.start - shift) * blockBytes, from + minChunkBytes));
      }
      at = run.end;
    }
    const past = Math.min(this.#geometry.bytesIn(segment), end * blockBytes) - shift * blockBytes;
    slot.fill(0, past, (end - shift) * blockBytes);
    return holes;
  }

  /** Bytes of the disk, wherever they lie. */
  async readRange(offset: number, into: Uint8Array): Promise<void> {
    await this.#turn(() => this.#source.read(offset, into, this.#signal));
    this.#bytesRead += into.length;
  }

  async #read(runs: readonly BlockRun[], { segment, shift }: LoadRequest, slot: Uint8Array): Promise<void> {
    const { blockBytes, segmentBytes } = this.#geometry;
    const reads: Promise<void>[] = [];
    for (const run of runs) {
      const end = Math.min(run.end * blockBytes, this.#geometry.bytesIn(segment));
      for (let at = run.start * blockBytes; at < end; at += PIECE_BYTES) {
        const shifted = at - shift * blockBytes;
        const into = slot.subarray(shifted, shifted + Math.min(end - at, PIECE_BYTES));
        reads.push(this.readRange(segment * segmentBytes + at, into));
      }
    }
    await settleAll(reads);
  }

  /** Null where it is damaged: the source has it too. */
  async #readVault(chunk: ChunkRef): Promise<Uint8Array | null> {
    try {
      return (await this.#vault?.read(chunk, this.#signal)) ?? null;
    } catch (error) {
      if (isDamage(error)) {
        return null;
      }
      throw error;
    }
  }

  /** An unchanged chunk, unless all of it is about to be read from the source. */
  async #loadOld(chunk: PlacedEntry, request: LoadRequest, slot: Uint8Array): Promise<void> {
    const { dirty, segment, start, end, shift } = request;
    const isDirty = dirty.some((run) => run.start <= chunk.start && run.end >= chunk.end);
    if (chunk.entry.chunk === null || isDirty) {
      return;
    }
    const { blockBytes } = this.#geometry;
    const first = Math.max(chunk.start, start);
    const last = Math.min(chunk.end, end);
    const raw = await this.#readVault(chunk.entry.chunk);
    if (raw === null) {
      await this.#read([{ start: first, end: last }], request, slot);
      return;
    }
    // Past the disk's end, where it shrank, there are zeros.
    const bytes = Math.min(last * blockBytes, this.#geometry.bytesIn(segment)) - first * blockBytes;
    const from = (first - chunk.start) * blockBytes;
    slot.set(raw.subarray(from, from + bytes), (first - shift) * blockBytes);
  }
}

function clip(runs: readonly BlockRun[], start: number, end: number): BlockRun[] {
  return runs
    .filter((run) => run.start < end && run.end > start)
    .map((run) => ({ start: Math.max(run.start, start), end: Math.min(run.end, end) }));
}

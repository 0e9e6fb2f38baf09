import { limit as limitConcurrency } from '../../kernel/limit.ts';
import { settleAll } from '../../kernel/settle-all.ts';
import type { BlockRun } from '../chunking/plan-windows.ts';
import type { DiskGeometry } from '../disk-geometry.ts';
import type { PlacedEntry } from '../manifest/segment-table.ts';
import type { ChunkRef } from '../manifest/segment-record.ts';
import type { ChunkReader } from '../restore/chunk-reader.ts';
import type { BlockSource } from '../ports/block-io.ts';
import { isDamage } from '../verify/diagnose.ts';
import type { SlotLayout } from './slot-layout.ts';
import { beginningOf, clip, within, type Stretch } from './stretch.ts';

const PIECE_BYTES = 1024 * 1024;

export interface LoadRequest {
  readonly segment: number;
  /** What the segment consisted of; empty when it is read whole. */
  readonly old: readonly PlacedEntry[];
  /** Ascending and apart. */
  readonly dirty: readonly BlockRun[];
}

/** A slot, and where in it what lies. */
export interface LaidOut {
  readonly memory: Uint8Array;
  readonly layout: SlotLayout;
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

  get geometry(): DiskGeometry {
    return this.#geometry;
  }

  /** Bytes read since it was asked last. */
  takeBytesRead(): number {
    const bytes = this.#bytesRead;
    this.#bytesRead = 0;
    return bytes;
  }

  /** Fills a stretch of a segment in a slot: of each hole its beginning, which is zeros then. */
  async load(stretch: Stretch, request: LoadRequest, slot: LaidOut): Promise<void> {
    const { old, dirty, segment } = request;
    this.#clear(stretch, segment, slot);
    if (this.#vault === null || old.length === 0) {
      await this.#read(stretch.filled, segment, slot);
      return;
    }
    const fromSource = clip(dirty, stretch);
    for (const chunk of within(old, stretch)) {
      await this.#loadOld(chunk, { stretch, fromSource, segment }, slot);
    }
    await this.#read(fromSource, segment, slot);
  }

  /** Zeros where nothing is read to: at the beginning of holes, and past the disk's end. */
  #clear({ end, filled, holes }: Stretch, segment: number, { memory, layout }: LaidOut): void {
    const { blockBytes, minChunkBlocks } = this.#geometry;
    for (const hole of holes) {
      const beginning = beginningOf(hole, minChunkBlocks);
      const shift = layout.shiftAt(hole.start);
      memory.fill(0, (beginning.start - shift) * blockBytes, (beginning.end - shift) * blockBytes);
    }
    const last = filled.at(-1);
    const diskEnd = this.#geometry.bytesIn(segment);
    if (last?.end === end && diskEnd < end * blockBytes) {
      const shift = layout.shiftAt(last.start);
      memory.fill(0, diskEnd - shift * blockBytes, (end - shift) * blockBytes);
    }
  }

  /** Bytes of the disk, wherever they lie. */
  async readRange(offset: number, into: Uint8Array): Promise<void> {
    await this.#turn(() => this.#source.read(offset, into, this.#signal));
    this.#bytesRead += into.length;
  }

  async #read(runs: readonly BlockRun[], segment: number, { memory, layout }: LaidOut): Promise<void> {
    const { blockBytes, segmentBytes } = this.#geometry;
    const reads: Promise<void>[] = [];
    for (const run of runs) {
      const shift = layout.shiftAt(run.start) * blockBytes;
      const end = Math.min(run.end * blockBytes, this.#geometry.bytesIn(segment));
      for (let at = run.start * blockBytes; at < end; at += PIECE_BYTES) {
        const into = memory.subarray(at - shift, Math.min(end, at + PIECE_BYTES) - shift);
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
  async #loadOld(chunk: PlacedEntry, { stretch, fromSource, segment }: OldLoad, slot: LaidOut): Promise<void> {
    const isDirty = fromSource.some((run) => run.start <= chunk.start && run.end >= chunk.end);
    if (chunk.entry.chunk === null || isDirty) {
      return;
    }
    const { blockBytes } = this.#geometry;
    const start = Math.max(chunk.start, stretch.start);
    const end = Math.min(chunk.end, stretch.end);
    const raw = await this.#readVault(chunk.entry.chunk);
    if (raw === null) {
      await this.#read([{ start, end }], segment, slot);
      return;
    }
    // Past the disk's end, where it shrank, there are zeros.
    const bytes = Math.min(end * blockBytes, this.#geometry.bytesIn(segment)) - start * blockBytes;
    const from = (start - chunk.start) * blockBytes;
    slot.memory.set(raw.subarray(from, from + bytes), (start - slot.layout.shiftAt(start)) * blockBytes);
  }
}

interface OldLoad {
  readonly stretch: Stretch;
  readonly fromSource: readonly BlockRun[];
  readonly segment: number;
}

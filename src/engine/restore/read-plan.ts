import type { DiskGeometry } from '../disk-geometry.ts';
import { corrupt } from '../format/header.ts';
import type { PackOpener } from '../format/pack-reader.ts';
import type { SegmentTable } from '../manifest/segment-table.ts';
import type { DecodeFrame } from '../worker/protocol.ts';
import type { ChunkReader, FoundFrame } from './chunk-reader.ts';

/** Frames that are this near to each other are read in one piece. */
const MAX_GAP_BYTES = 64 * 1024;

/** Bytes of the disk, counted within the segment. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

export interface PackRead {
  readonly name: string;
  readonly offset: number;
  /** Where it goes in the slot. */
  readonly at: number;
  readonly bytes: number;
}

/** What fits into one slot: reads, the frames in them, and the extents of the segment that they make. */
export interface ReadBatch {
  readonly reads: readonly PackRead[];
  readonly packs: readonly PackOpener[];
  readonly frames: readonly DecodeFrame[];
  readonly extents: readonly Extent[];
}

export interface SegmentReadPlan {
  readonly holes: readonly Extent[];
  readonly batches: readonly ReadBatch[];
}

interface Wanted extends FoundFrame {
  readonly rawAt: number[];
}

export interface SegmentToRead {
  readonly segment: number;
  /** A batch's frames and gaps take no more. */
  readonly batchBytes: number;
  /** Where chunks begin, within the segment, that need not be read any more. */
  readonly done: ReadonlySet<number>;
}

/** How a segment is put together again. Batches are needed where frames and gaps take more than a slot. */
export async function planSegmentRead(
  chunks: ChunkReader,
  table: SegmentTable,
  geometry: DiskGeometry,
  { segment, batchBytes, done }: SegmentToRead,
): Promise<SegmentReadPlan> {
  const holes: Extent[] = [];
  const wanted = new Map<string, Wanted>();
  const size = geometry.bytesIn(segment);
  let at = 0;
  for (const { blocks, chunk } of table) {
    const start = at;
    at = Math.min(size, start + blocks * geometry.blockBytes);
    if (chunk === null) {
      holes.push({ start, end: at });
      continue;
    }
    if (done.has(start)) {
      continue;
    }
    const key = `${chunk.pack} ${chunk.frame}`;
    const known = wanted.get(key) ?? { ...(await chunks.find(chunk)), rawAt: [] };
    if (known.frame.rawBytes !== at - start) {
      throw corrupt(known.table.opener.name, `has a frame ${chunk.frame} of another length than the manifest says`);
    }
    known.rawAt.push(start);
    wanted.set(key, known);
  }
  return { holes: mergeExtents(holes), batches: toBatches([...wanted.values()], batchBytes) };
}

function toBatches(wanted: readonly Wanted[], slotBytes: number): ReadBatch[] {
  const sorted = wanted.toSorted(
    (a, b) => compareText(a.table.opener.name, b.table.opener.name) || a.frame.offset - b.frame.offset,
  );
  const batches: BatchBuilder[] = [];
  for (const frame of sorted) {
    const added = batches.at(-1)?.add(frame) ?? false;
    if (!added) {
      const batch = new BatchBuilder(slotBytes);
      batch.add(frame);
      batches.push(batch);
    }
  }
  return batches.map((batch) => batch.finish());
}

class BatchBuilder {
  readonly #slotBytes: number;
  readonly #reads: { name: string; offset: number; at: number; bytes: number }[] = [];
  readonly #packs: PackOpener[] = [];
  readonly #frames: DecodeFrame[] = [];
  readonly #extents: Extent[] = [];
  #used = 0;

  constructor(slotBytes: number) {
    this.#slotBytes = slotBytes;
  }

  /** False if it does not fit any more. */
  add({ table, frame, rawAt }: Wanted): boolean {
    const last = this.#reads.at(-1);
    const gap = last?.name === table.opener.name ? frame.offset - (last.offset + last.bytes) : Infinity;
    const joined = gap >= 0 && gap <= MAX_GAP_BYTES ? gap : 0;
    if (this.#used > 0 && this.#used + joined + frame.sealedBytes > this.#slotBytes) {
      return false;
    }
    if (last !== undefined && gap >= 0 && gap <= MAX_GAP_BYTES) {
      last.bytes += gap + frame.sealedBytes;
    } else {
      this.#reads.push({ name: table.opener.name, offset: frame.offset, at: this.#used, bytes: frame.sealedBytes });
    }
    if (this.#packs.at(-1)?.name !== table.opener.name) {
      this.#packs.push(table.opener);
    }
    this.#frames.push({ pack: this.#packs.length - 1, frame, sealedAt: this.#used + joined, rawAt });
    this.#extents.push(...rawAt.map((start) => ({ start, end: start + frame.rawBytes })));
    this.#used += joined + frame.sealedBytes;
    return true;
  }

  finish(): ReadBatch {
    return { reads: this.#reads, packs: this.#packs, frames: this.#frames, extents: mergeExtents(this.#extents) };
  }
}

function mergeExtents(extents: readonly Extent[]): Extent[] {
  const merged: Extent[] = [];
  for (const extent of extents.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last?.end === extent.start) {
      merged[merged.length - 1] = { start: last.start, end: extent.end };
    } else {
      merged.push(extent);
    }
  }
  return merged;
}

function compareText(a: string, b: string): number {
  if (a === b) {
    return 0;
  }
  return a < b ? -1 : 1;
}

import { BLOCK_BYTES, HASH_BYTES, type BlockHasher } from '../chunking/block-hasher.ts';
import type { CutRules } from '../chunking/cutter.ts';
import { rechunk, type CutRun } from '../chunking/rechunk.ts';
import { SHORT_DIGEST_BYTES } from '../keys/digest.ts';
import type { ChunkPlace, ChunkWriter } from './chunk-writer.ts';
import { slotView, type LaneMemory } from './lane-memory.ts';
import { CHUNK_INTS, HOLE, type SegmentDone, type SegmentTask, type StoredRun } from './protocol.ts';

export interface Cutting {
  readonly lane: LaneMemory;
  readonly hasher: BlockHasher;
  readonly rules: CutRules;
  readonly writer: ChunkWriter;
}

/** Cuts the windows of a segment that lies in a slot and stores its chunks. */
export async function cutSegment(cutting: Cutting, task: SegmentTask): Promise<SegmentDone> {
  const { lane, hasher, rules, writer } = cutting;
  const slotAt = lane.slotsAt + task.slot * lane.slotBytes;
  for (const { start, end } of task.windows) {
    hasher.hash(slotAt + start * BLOCK_BYTES, end - start, lane.hashesAt + start * HASH_BYTES);
  }
  const hashes = new Uint32Array(lane.memory.buffer, lane.hashesAt, task.limit * 2);
  const { windows, limit } = task;
  const { runs, open } = rechunk({ hashes, limit, windows, oldCuts: new Set(task.oldCuts), rules });
  const segment = slotView(lane, task.slot).subarray(0, task.bytes);
  const counts = { chunksRead: 0, chunksNew: 0 };
  const stored: StoredRun[] = [];
  for (const run of runs) {
    stored.push(await storeRun(run, segment, writer, counts));
  }
  return { runs: stored, open, ...counts };
}

async function storeRun(
  run: CutRun,
  segment: Uint8Array,
  writer: ChunkWriter,
  counts: { chunksRead: number; chunksNew: number },
): Promise<StoredRun> {
  const chunks = new Int32Array(run.chunks.length * CHUNK_INTS);
  const digests = new Uint8Array(run.chunks.length * SHORT_DIGEST_BYTES);
  for (const [i, { start, end, isHole }] of run.chunks.entries()) {
    let place: ChunkPlace | null = null;
    if (!isHole) {
      place = await writer.put(segment.subarray(start * BLOCK_BYTES, end * BLOCK_BYTES));
      digests.set(place.digest, i * SHORT_DIGEST_BYTES);
      counts.chunksRead += 1;
      counts.chunksNew += place.isNew ? 1 : 0;
    }
    chunks.set([end - start, place?.pack ?? HOLE, place?.frame ?? 0], i * CHUNK_INTS);
  }
  return { start: run.start, end: run.end, chunks, digests };
}

import { BLOCK_BYTES, HASH_BYTES, type BlockHasher } from '../chunking/block-hasher.ts';
import type { CutRules } from '../chunking/cutter.ts';
import { leaveOut } from '../chunking/leave-out.ts';
import { rechunk, type CutRun } from '../chunking/rechunk.ts';
import { SHORT_DIGEST_BYTES } from '../keys/digest.ts';
import type { ChunkPlace, ChunkWriter } from './chunk-writer.ts';
import { slotView, type LaneMemory } from './lane-memory.ts';
import { CHUNK_INTS, HOLE, type SegmentDone, type SegmentTask, type StoredRun } from './protocol.ts';
import { placeAt } from './slot-places.ts';

export interface Cutting {
  readonly lane: LaneMemory;
  readonly hasher: BlockHasher;
  readonly rules: CutRules;
  readonly writer: ChunkWriter;
}

/** Cuts the windows of a segment that lies in a slot and stores its chunks. */
export async function cutSegment(cutting: Cutting, task: SegmentTask): Promise<SegmentDone> {
  const { lane, hasher, rules, writer } = cutting;
  if (task.tables !== null) {
    writer.use(task.tables);
  }
  const slot = slotView(lane, task.slot);
  const { windows, limit, zeros, places } = task;
  const hashes = new Uint32Array(lane.memory.buffer, lane.hashesAt, limit * 2);
  for (const { start, end } of zeros) {
    hashes.fill(0, 2 * start, 2 * end);
  }
  for (const { start, end } of leaveOut(windows, zeros)) {
    const blocks = inSlot(slot, start - placeAt(places, start).shift, end - start);
    hasher.hash(blocks.byteOffset, end - start, lane.hashesAt + start * HASH_BYTES);
  }
  const { runs, open } = rechunk({ hashes, limit, windows, rules });
  const cut = runs.flatMap((run) => run.chunks).filter(({ isHole }) => !isHole);
  const raws = cut.map(({ start, end }) => {
    const blocks = inSlot(slot, start - placeAt(places, start).shift, end - start);
    return blocks.subarray(0, Math.min(end * BLOCK_BYTES, task.bytes) - start * BLOCK_BYTES);
  });
  const { places: stored, packs } = await writer.putAll(raws);
  const next = stored[Symbol.iterator]();
  const storedRuns = runs.map((run) => toStoredRun(run, next));
  const chunksNew = stored.filter(({ isNew }) => isNew).length;
  return { runs: storedRuns, packs, open, chunksRead: stored.length, chunksNew };
}

/** Behind a slot there is another one. */
function inSlot(slot: Uint8Array, block: number, blocks: number): Uint8Array {
  const [from, to] = [block * BLOCK_BYTES, (block + blocks) * BLOCK_BYTES];
  if (from < 0 || to > slot.length) {
    throw new RangeError(`bytes ${from} to ${to} of the slot, which has ${slot.length}`);
  }
  return slot.subarray(from, to);
}

/** Takes a place for each chunk that is no hole. What they don't cover would be another part of the disk's. */
function toStoredRun(run: CutRun, next: Iterator<ChunkPlace>): StoredRun {
  const blocks = run.chunks.reduce((sum, { start, end }) => sum + end - start, 0);
  if (blocks !== run.end - run.start) {
    throw new RangeError(`chunks of ${blocks} blocks for ${run.start} to ${run.end} of a segment`);
  }
  const chunks = new Int32Array(run.chunks.length * CHUNK_INTS);
  const digests = new Uint8Array(run.chunks.length * SHORT_DIGEST_BYTES);
  for (const [i, { start, end, isHole }] of run.chunks.entries()) {
    const place: ChunkPlace | null = isHole ? null : next.next().value;
    digests.set(place?.digest ?? [], i * SHORT_DIGEST_BYTES);
    chunks.set([end - start, place?.pack ?? HOLE, place?.frame ?? 0], i * CHUNK_INTS);
  }
  return { start: run.start, end: run.end, chunks, digests };
}

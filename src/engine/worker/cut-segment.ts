import { BLOCK_BYTES, HASH_BYTES, type BlockHasher } from '../chunking/block-hasher.ts';
import type { CutRules } from '../chunking/cutter.ts';
import { leaveOut } from '../chunking/leave-out.ts';
import { rechunk } from '../chunking/rechunk.ts';
import type { ChunkWriter } from './chunk-writer.ts';
import { slotView, type LaneMemory } from './lane-memory.ts';
import type { SegmentDone, SegmentTask } from './protocol.ts';
import { placeAt } from './slot-places.ts';
import { toStoredRun } from './stored-run.ts';

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

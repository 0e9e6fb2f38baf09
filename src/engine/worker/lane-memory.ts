import { HASH_BYTES, HASHER_RESERVED_BYTES } from '../chunking/block-hasher.ts';
import { allocateSharedMemory, type SharedMemory } from '../chunking/web-assembly.ts';
import type { ChunkingParameters } from '../repository-options.ts';

const ALIGNMENT = 65_536;
export const SLOTS = 2;

/** What one worker and the main thread share: hash keys, block hashes, and two slots of a segment's size each. */
export interface LaneMemory {
  readonly memory: SharedMemory;
  readonly hashesAt: number;
  readonly slotsAt: number;
  readonly slotBytes: number;
}

export function allocateLaneMemory({ segmentBytes, blockBytes }: ChunkingParameters): LaneMemory {
  const hashesAt = HASHER_RESERVED_BYTES;
  const slotsAt = align(hashesAt + (segmentBytes / blockBytes) * HASH_BYTES);
  const slotBytes = align(segmentBytes);
  return { memory: allocateSharedMemory(slotsAt + SLOTS * slotBytes), hashesAt, slotsAt, slotBytes };
}

export function slotView(lane: LaneMemory, slot: number): Uint8Array {
  return new Uint8Array(lane.memory.buffer, lane.slotsAt + slot * lane.slotBytes, lane.slotBytes);
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

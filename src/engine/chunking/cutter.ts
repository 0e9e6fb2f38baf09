import type { ChunkingParameters } from '../repository-options.ts';

/** Block hashes of one segment, as pairs of 32-bit words, low first. */
export type BlockHashes = Uint32Array;

export interface CutRules {
  readonly minBlocks: number;
  readonly maxBlocks: number;
  /** A block whose hash has a high word below this says "cut after me". */
  readonly threshold: number;
}

export function toCutRules(parameters: ChunkingParameters): CutRules {
  const { blockBytes, minChunkBytes, averageChunkBytes, maxChunkBytes } = parameters;
  return {
    minBlocks: minChunkBytes / blockBytes,
    maxBlocks: maxChunkBytes / blockBytes,
    threshold: Math.floor(2 ** 32 / ((averageChunkBytes - minChunkBytes) / blockBytes)),
  };
}

export interface CutWindow {
  /** Blocks of the whole segment; a chunk never reaches past it. */
  readonly limit: number;
  /** Blocks whose hashes are known: from the chunk's start up to here. */
  readonly available: number;
  /** What is known of the block at `available`, if that is below the limit: whether it is zero. */
  readonly zeroAfter: boolean;
}

export function isZeroBlock(hashes: BlockHashes, block: number): boolean {
  return hashes[2 * block] === 0;
}

/**
 * Where the chunk that starts at block `start` ends, or -1 where that takes more blocks than are available.
 * A chunk that starts with a zero block is a hole and ends with its zeros; any other ends where a hash says so,
 * before a zero block, or at its greatest length. Nothing before `start` has a say: that makes re-chunking possible.
 */
export function findCut(hashes: BlockHashes, start: number, window: CutWindow, rules: CutRules): number {
  return isZeroBlock(hashes, start) ? findHoleEnd(hashes, start, window) : findDataEnd(hashes, start, window, rules);
}

function findHoleEnd(hashes: BlockHashes, start: number, { available, limit, zeroAfter }: CutWindow): number {
  let end = start + 1;
  while (end < available && isZeroBlock(hashes, end)) {
    end += 1;
  }
  return end === available && end < limit && zeroAfter ? -1 : end;
}

function findDataEnd(hashes: BlockHashes, start: number, window: CutWindow, rules: CutRules): number {
  const { available, limit, zeroAfter } = window;
  const last = Math.min(limit, start + rules.maxBlocks);
  for (let end = start + rules.minBlocks; end < last && end <= available; end += 1) {
    const saysCut = (hashes[2 * end - 1] ?? 0) < rules.threshold;
    const zeroNext = end < available ? isZeroBlock(hashes, end) : zeroAfter;
    if (saysCut || zeroNext) {
      return end;
    }
  }
  return last <= available ? last : -1;
}

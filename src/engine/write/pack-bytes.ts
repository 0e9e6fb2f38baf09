import { MIB } from '../../kernel/bytes.ts';
import type { ChunkingParameters } from '../types.ts';

const FIRST_BYTES = 8 * MIB;
/** Chunks of the greatest size that the first pack has room for at least. */
const FIRST_CHUNKS = 8;

/**
 * How large a lane's packs get in a write, from its first on: each twice as large as the one before, up to the vault's
 * size of packs. A small write's first packs go to the store while its last are filled; a large one has few small packs.
 */
export function packBytesAt(round: number, { packBytes, maxChunkBytes }: ChunkingParameters): number {
  return Math.min(packBytes, Math.max(FIRST_BYTES, FIRST_CHUNKS * maxChunkBytes) * 2 ** Math.min(round, 32));
}

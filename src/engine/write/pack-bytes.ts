import { MIB } from '../../kernel/bytes.ts';
import type { ChunkingParameters } from '../types.ts';

const FIRST_BYTES = 8 * MIB;
/** Chunks of the greatest size that the first pack has room for at least. */
const FIRST_CHUNKS = 8;
/** Packs that a small write is divided into. */
const PACKS = 8;

/**
 * How large a lane's packs get in a write of about so much, from its first on: each twice as large as the one before, up
 * to the vault's size of packs, or an eighth of what may be new. So the first packs of a small write go to the store while its
 * last are filled, in memory that is used again; a large one has few small packs.
 */
export function packBytesAt(
  round: number,
  expectedBytes: number,
  { packBytes, maxChunkBytes }: ChunkingParameters,
): number {
  const first = Math.min(packBytes, Math.max(FIRST_BYTES, FIRST_CHUNKS * maxChunkBytes));
  const most = Math.ceil(expectedBytes / PACKS / MIB) * MIB;
  return Math.max(first, Math.min(packBytes, most, first * 2 ** Math.min(round, 32)));
}

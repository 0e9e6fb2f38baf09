import { MIB } from '../../kernel/bytes.ts';
import type { ChunkingParameters } from '../repository-options.ts';

const FIRST_BYTES = 8 * MIB;
/** Chunks of the greatest size that the first pack has room for at least. */
const FIRST_CHUNKS = 8;
/** Packs that a small write is divided into. */
const PACKS = 8;

/**
 * How large a lane's packs get in a write of about so much, from its first on: each twice as large as the one before, up
 * to the vault's size of packs, or in a small write to about an eighth of what may be new. So its first packs go to the
 * store while the next are filled, in memory that is used again; a large one has few small packs.
 */
export function packBytesAt(
  round: number,
  expectedBytes: number,
  { packBytes, maxChunkBytes }: ChunkingParameters,
): number {
  const first = Math.max(FIRST_BYTES, FIRST_CHUNKS * maxChunkBytes);
  const doublings = Math.floor(Math.log2(Math.max(1, expectedBytes / PACKS / first)));
  return Math.min(packBytes, first * 2 ** Math.min(round, doublings));
}

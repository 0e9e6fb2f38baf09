import type { ObjectId } from '../format/ids.ts';
import type { Frame } from '../format/pack-reader.ts';
import type { ChunkRef } from '../manifest/segment-record.ts';
import type { ChunkReader, IsLost } from '../restore/chunk-reader.ts';
import { nullIfDamaged } from './diagnose.ts';
import type { DamagedObject } from './verify-types.ts';

export interface ResolvedChunk {
  /** Where it can be had, or what is to blame that it can't. */
  readonly pack: ObjectId;
  readonly frame: Frame | null;
}

/** Where a reader would find a chunk, which goes past frames that are lost as long as there is another. */
export async function resolveChunk(chunks: ChunkReader, chunk: ChunkRef, isLost: IsLost): Promise<ResolvedChunk> {
  const whole = await find(chunks, chunk, isLost);
  if (whole !== null) {
    return whole;
  }
  const lost = await find(chunks, chunk);
  return { pack: lost?.pack ?? chunk.pack, frame: null };
}

async function find(chunks: ChunkReader, chunk: ChunkRef, isLost?: IsLost): Promise<ResolvedChunk | null> {
  const found = await nullIfDamaged(chunks.find(chunk, isLost));
  return found === null ? null : { pack: found.table.opener.context.objectId, frame: found.frame };
}

export function isFrameLost(damage: DamagedObject | undefined, frame: number): boolean {
  return damage !== undefined && (damage.lostFrames === 'all' || damage.lostFrames.includes(frame));
}

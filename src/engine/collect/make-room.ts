import type { ObjectId } from '../format/ids.ts';
import { readPackTable, type PackTable } from '../format/pack-reader.ts';
import { SHORT_DIGEST_BYTES } from '../keys/digest.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { isDamage } from '../verify/diagnose.ts';
import type { FrameBits } from './frame-bits.ts';

/**
 * Of packs that are to go, those that can go before what is needed was copied, for where a store has no room for copies:
 * their tables list none of the chunks that are to be copied, so that they are no other place of one either. None where
 * it can't be read what these chunks are.
 */
export async function findUnneeded(
  { store, secrets }: RepositoryContext,
  leaving: readonly ObjectId[],
  needed: FrameBits,
  signal: AbortSignal,
): Promise<ObjectId[]> {
  const wanted = new Set<string>();
  for (const pack of needed.packs()) {
    const table = await readOrNull(() => readPackTable(store, 'data', pack, secrets, signal));
    if (table === null) {
      // Damaged, or another collection has copied it: of what is needed something isn't known any more.
      return [];
    }
    for (const frame of needed.frames(pack)) {
      wanted.add(digestOf(table, frame));
    }
  }
  const unneeded: ObjectId[] = [];
  for (const pack of leaving) {
    const table = await readOrNull(() => readPackTable(store, 'data', pack, secrets, signal));
    const frames = Array.from({ length: table?.frameCount ?? 0 }, (_, frame) => frame);
    if (table !== null && !frames.some((frame) => wanted.has(digestOf(table, frame)))) {
      unneeded.push(pack);
    }
  }
  return unneeded;
}

function digestOf(table: PackTable, frame: number): string {
  return Buffer.from(table.frame(frame).digest.subarray(0, SHORT_DIGEST_BYTES)).toString('hex');
}

async function readOrNull(read: () => Promise<PackTable>): Promise<PackTable | null> {
  try {
    return await read();
  } catch (error) {
    if (isDamage(error)) {
      return null;
    }
    throw error;
  }
}

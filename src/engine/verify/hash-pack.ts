import { MIB } from '../../kernel/bytes.ts';
import { quiet } from '../../kernel/quiet.ts';
import { DIGEST_BYTES } from '../keys/digest.ts';
import type { Store } from '../ports/store.ts';
import type { Lane } from '../worker/lane.ts';
import { SLOTS } from '../worker/lane-memory.ts';

/** Of a pack, what is read while as much is hashed: more would touch more memory and begin later. */
const STRETCH_BYTES = 8 * MIB;

/** Whether a pack has the hash that its footer says. While the lane hashes one slot, the other is read. */
export async function hasItsHash(
  store: Store,
  lane: Lane,
  pack: { readonly name: string; readonly sizeBytes: number },
  signal: AbortSignal,
): Promise<boolean> {
  const end = pack.sizeBytes - DIGEST_BYTES;
  const wanted = new Uint8Array(DIGEST_BYTES);
  await store.getRange(pack.name, end, wanted, signal);
  const stretch = Math.min(STRETCH_BYTES, lane.slot(0).length);
  const read = async (index: number): Promise<number> => {
    const bytes = Math.max(0, Math.min(stretch, end - index * stretch));
    if (bytes > 0) {
      await store.getRange(pack.name, index * stretch, lane.slot(index % SLOTS).subarray(0, bytes), signal);
    }
    return bytes;
  };
  let digest: Uint8Array = new Uint8Array(0);
  let reading = quiet(read(0));
  try {
    for (let index = 0; index * stretch < end; index += 1) {
      const bytes = await reading;
      reading = quiet(read(index + 1));
      digest = await lane.hash({ slot: index % SLOTS, bytes, first: index === 0 });
    }
  } finally {
    // The slots go on to others: nothing may still be written to them.
    await reading.catch(() => 0);
  }
  return Buffer.compare(digest, wanted) === 0;
}

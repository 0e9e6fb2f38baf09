import { throwIfAborted } from '../../kernel/abort.ts';
import type { ObjectId } from '../format/ids.ts';
import { packIdOf, type PackArea } from '../format/names.ts';
import type { Store } from '../ports/store.ts';

/** Packs that are in the store, with their sizes. */
export async function listPacks(
  store: Store,
  area: PackArea,
  signal: AbortSignal,
): Promise<ReadonlyMap<ObjectId, number>> {
  const packs = new Map<ObjectId, number>();
  for await (const { name, sizeBytes } of store.list(`${area}/`)) {
    throwIfAborted(signal);
    const id = packIdOf(area, name);
    if (id !== null) {
      packs.set(id, sizeBytes);
    }
  }
  return packs;
}

import { limit } from '../../kernel/limit.ts';
import type { ObjectId } from '../format/ids.ts';
import { packName } from '../format/names.ts';
import { FrameOpener, readPackTable } from '../format/pack-reader.ts';
import { decodePackIds } from '../manifest/segment-record.ts';
import type { RepositoryContext } from '../repository-context.ts';
import type { DiskManifest } from '../types.ts';

/** Meta packs, of at most 8 MiB, that are in memory at the same time. */
const CONCURRENCY = 4;

export function metaPacksOf(disks: readonly DiskManifest[]): Set<ObjectId> {
  const packs = disks.flatMap(({ layers }) => layers.flatMap((layer) => layer.packs));
  return new Set(packs.map(({ id }) => id));
}

/** The data packs that some entry in these meta packs names, also where a later layer has other entries. */
export async function dataPacksNamedBy(
  context: RepositoryContext,
  metaPacks: Iterable<ObjectId>,
): Promise<Set<ObjectId>> {
  const found = new Set<ObjectId>();
  const turn = limit(CONCURRENCY);
  const read = async (id: ObjectId): Promise<void> => {
    const { store, secrets } = context;
    const table = await readPackTable(store, 'meta', id, secrets);
    const data = await store.get(packName('meta', id));
    const opener = new FrameOpener(table.opener, secrets.digestKey);
    // The last frame says which groups the others hold.
    for (let ordinal = 0; ordinal < table.frameCount - 1; ordinal += 1) {
      const frame = table.frame(ordinal);
      const raw = opener.open(frame, data.subarray(frame.offset, frame.offset + frame.sealedBytes));
      decodePackIds(Buffer.from(raw), table.opener.name).forEach((pack) => found.add(pack));
    }
  };
  await Promise.all(Array.from(metaPacks, (id) => turn(() => read(id))));
  return found;
}

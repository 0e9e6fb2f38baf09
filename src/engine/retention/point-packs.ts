import type { ObjectId } from '../format/ids.ts';
import { LayerTree } from '../manifest/layer-tree.ts';
import { visitNeeded } from '../manifest/visit-needed.ts';
import { geometryOf, type RepositoryContext } from '../repository-context.ts';
import type { DiskManifest } from '../manifest/manifest-types.ts';

export function metaPacksOf(disks: readonly DiskManifest[]): Set<ObjectId> {
  const packs = disks.flatMap(({ layers }) => layers.flatMap((layer) => layer.packs));
  return new Set(packs.map(({ id }) => id));
}

/**
 * The data packs that these disks need, as far as these meta packs say so: not what later layers have replaced. Of others,
 * only those of layers above are read.
 */
export async function dataPacksNeededBy(
  context: RepositoryContext,
  disks: readonly DiskManifest[],
  metaPacks: ReadonlySet<ObjectId>,
): Promise<Set<ObjectId>> {
  const manifests = new LayerTree();
  for (const { layers } of disks) {
    const first = layers.findIndex(({ packs }) => packs.some(({ id }) => metaPacks.has(id)));
    manifests.add(first === -1 ? [] : layers.slice(first));
  }
  const found = new Set<ObjectId>();
  await visitNeeded(manifests, {
    store: context.store,
    secrets: context.secrets,
    signal: new AbortController().signal,
    geometryOf: (sizeBytes) => geometryOf(context, sizeBytes),
    onDamage: (_, error) => {
      throw error;
    },
    onPack: () => undefined,
    use: async ({ packs, visit }) => visit((_, position) => found.add(packs[position] ?? '')),
  });
  return found;
}

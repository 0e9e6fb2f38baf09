import { throwIfAborted } from '../../kernel/abort.ts';
import type { ObjectId } from '../format/ids.ts';
import { SHORT_DIGEST_BYTES } from '../keys/digest.ts';
import { LayerTree } from '../manifest/layer-tree.ts';
import type { ChunkRef } from '../manifest/segment-record.ts';
import { visitNeeded, type NeededRecords } from '../manifest/visit-needed.ts';
import { geometryOf, type RepositoryContext } from '../repository-context.ts';
import type { ChunkReader, IsLost } from '../restore/chunk-reader.ts';
import type { DiskManifest } from '../manifest/manifest-types.ts';
import { requireDamage } from './diagnose.ts';
import { resolveChunk } from './resolve-chunk.ts';

export interface MovedOptions {
  readonly isMoved: (pack: ObjectId) => boolean;
  /** Frames that are known to be damaged. */
  readonly isLost?: IsLost;
  readonly signal: AbortSignal;
}

/**
 * Where chunks are found that manifests name in packs which no longer count (condemned, gone, or damaged): the packs to
 * verify in their place. A chunk that is nowhere else leaves its own pack, which then shows as the damage that it is.
 * What later layers have replaced may be gone: it is not looked for.
 */
export async function surveyMoved(
  context: RepositoryContext,
  chunks: ChunkReader,
  disks: readonly DiskManifest[],
  { isMoved, isLost = () => false, signal }: MovedOptions,
): Promise<ReadonlySet<ObjectId>> {
  const manifests = new LayerTree();
  disks.forEach(({ layers }) => manifests.add(layers));
  const packs = new Set<ObjectId>();
  await visitNeeded(manifests, {
    store: context.store,
    secrets: context.secrets,
    signal,
    geometryOf: (sizeBytes) => geometryOf(context, sizeBytes),
    // That was told by the survey before.
    onDamage: (_, error) => requireDamage(error),
    onPack: () => undefined,
    use: async (records) => {
      for (const chunk of movedChunks(records, isMoved)) {
        throwIfAborted(signal);
        packs.add((await resolveChunk(chunks, chunk, isLost)).pack);
      }
    },
  });
  return packs;
}

function movedChunks({ packs, data, visit }: NeededRecords, isMoved: (pack: ObjectId) => boolean): ChunkRef[] {
  const moved = packs.map(isMoved);
  const found: ChunkRef[] = [];
  visit((_, position, frame, at) => {
    const pack = packs[position];
    if (pack !== undefined && moved[position] === true) {
      found.push({ pack, frame, digest: data.subarray(at, at + SHORT_DIGEST_BYTES) });
    }
  });
  return found;
}

import type { PointStore } from '../points/point-store.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { raiseEpoch, readEpoch } from '../sessions/epoch.ts';
import { isDamage } from '../verify/diagnose.ts';
import { verify } from '../verify/verify.ts';
import { deriveManifests } from './derive-manifests.ts';
import { rebuildIndex } from './rebuild-index.ts';
import type { RepairRequest, RepairResult } from './repair-types.ts';

/**
 * Makes anew what follows from the rest (index, epoch, and manifests as far as others say the same), takes damaged packs
 * out of deduplication, and says what is lost. Data packs and restore points follow from nothing: they are never touched.
 */
export async function repair(
  context: RepositoryContext,
  points: PointStore,
  request: RepairRequest,
): Promise<RepairResult> {
  const { signal, onProgress, level = 0 } = request;
  const raisedEpoch = await mendEpoch(context);
  const { packs, removed, unreadable } = await rebuildIndex(context, request);
  const { derived, locked } = await deriveManifests(context, points, request);
  const verified = await verify(context, points, {
    level,
    condemn: true,
    ...(signal === undefined ? {} : { signal }),
    onProgress: ({ phase, bytesRead, bytesTotal }) => {
      if (phase === 'packs' && bytesTotal > 0) {
        onProgress?.({ phase: 'verify', done: bytesRead, total: bytesTotal });
      }
    },
  });
  return {
    indexedPacks: packs,
    removedSegments: removed,
    derivedManifests: derived,
    lockedManifests: locked,
    raisedEpoch,
    unreadablePacks: unreadable,
    verified,
  };
}

/** With a damaged epoch no session can begin; a higher one takes its place. */
async function mendEpoch({ store, secrets }: RepositoryContext): Promise<number | null> {
  try {
    await readEpoch(store, secrets);
    return null;
  } catch (error) {
    if (!isDamage(error)) {
      throw error;
    }
    return await raiseEpoch(store, secrets);
  }
}

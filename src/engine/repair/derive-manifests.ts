import { throwIfAborted } from '../../kernel/abort.ts';
import type { ObjectId } from '../format/ids.ts';
import { packName } from '../format/names.ts';
import type { PointStore } from '../points/point-store.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { surveyManifests } from '../verify/survey-manifests.ts';
import { deriveMetaPack } from './derive-pack.ts';
import { findKnownPoints, findPlaces, promisedUntil, type KnownPoint } from './known-points.ts';
import type { RepairRequest } from './repair-types.ts';
import { readSpare, replaceMetaPack } from './replace-meta-pack.ts';

export interface DerivedManifests {
  /** Names of meta packs. */
  readonly derived: readonly string[];
  /** Could be derived, but the store keeps the damaged ones. */
  readonly locked: readonly string[];
}

/** Makes damaged meta packs anew as far as what they held follows from others. */
export async function deriveManifests(
  context: RepositoryContext,
  points: PointStore,
  request: RepairRequest,
): Promise<DerivedManifests> {
  const signal = request.signal ?? new AbortController().signal;
  const known = await findKnownPoints(points, signal);
  const { damaged } = await surveyManifests(context, known, {
    // Manifests are small: they are looked at as thoroughly as can be, whatever is asked for data packs.
    level: 1,
    signal,
    onRead: (done, total) => request.onProgress?.({ phase: 'manifests', done, total }),
  });
  const left = new Set(damaged.map(({ name }) => name.slice(name.lastIndexOf('/') + 1)));
  const outcomes = new Map<string, 'replaced' | 'locked'>();
  // What one was derived from may have been derived itself.
  for (let before = -1; before !== left.size && left.size > 0;) {
    before = left.size;
    for (const id of left) {
      throwIfAborted(signal);
      const outcome = await mend(context, points, known, id);
      if (outcome !== null) {
        outcomes.set(packName('meta', id), outcome);
        left.delete(id);
      }
    }
  }
  const named = (wanted: 'replaced' | 'locked'): string[] =>
    [...outcomes].filter(([, outcome]) => outcome === wanted).map(([name]) => name);
  return { derived: named('replaced'), locked: named('locked') };
}

async function mend(
  context: RepositoryContext,
  points: PointStore,
  known: readonly KnownPoint[],
  id: ObjectId,
): Promise<'replaced' | 'locked' | null> {
  const places = findPlaces(known, id);
  const contents = places.find(({ pack }) => pack.contents !== undefined)?.pack.contents;
  const pack = { id, contents };
  const frames = (await readSpare(context, pack)) ?? (await deriveMetaPack(context, known, { ...pack, places }));
  if (frames === null) {
    return null;
  }
  const needing = places.map(({ point }) => point);
  return replaceMetaPack(context, pack, frames, await promisedUntil(context, points, needing));
}

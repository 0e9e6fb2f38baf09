import { isAppError } from '../../kernel/errors.ts';
import { pointName } from '../format/names.ts';
import type { Store } from '../ports/store.ts';
import type { PointStore } from '../points/point-store.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { DECIDED_FOR_MS } from '../sessions/session-ages.ts';
import type { Session } from '../sessions/session-store.ts';

/**
 * A tombstone takes the place of a point that was deleted and that nobody pins: what was delayed on its way to the store
 * can't bring it back. Then its custody has nothing more to say. False where the store keeps the point.
 */
export async function removePoint(context: RepositoryContext, points: PointStore, pointId: string): Promise<boolean> {
  const custody = await points.custody.read(pointId);
  for (;;) {
    if (!(await isTombstone(points, pointId)) && !(await tryDelete(context.store, pointName(pointId)))) {
      return false;
    }
    await points.fence(pointId);
    if (await isTombstone(points, pointId)) {
      await points.custody.remove(pointId, custody);
      return true;
    }
  }
}

async function tryDelete(store: Store, name: string): Promise<boolean> {
  try {
    await store.delete(name);
    return true;
  } catch (error) {
    if (isAppError(error, 'VAULT_RETAINED')) {
      return false;
    }
    throw error;
  }
}

/** Tombstones of which nobody should ask any more. `open`: the sessions that were listed before. */
export async function sweepTombstones(
  context: RepositoryContext,
  points: PointStore,
  open: readonly Session[],
): Promise<number> {
  const announced = new Set(open.map(({ pointId }) => pointId));
  const before = context.clock.now() - DECIDED_FOR_MS;
  let bytes = 0;
  for await (const { pointId, sizeBytes } of points.tombstones()) {
    const found = announced.has(pointId) ? null : await points.findObject(pointId);
    if (found?.kind === 'tombstone' && found.fencedAt < before) {
      await context.store.delete(pointName(pointId));
      bytes += sizeBytes;
    }
  }
  return bytes;
}

async function isTombstone(points: PointStore, pointId: string): Promise<boolean> {
  try {
    return (await points.findObject(pointId))?.kind === 'tombstone';
  } catch (error) {
    // A damaged point goes as a whole one does.
    if (isAppError(error, 'VAULT_CORRUPT', 'VAULT_FORMAT_UNKNOWN')) {
      return false;
    }
    throw error;
  }
}

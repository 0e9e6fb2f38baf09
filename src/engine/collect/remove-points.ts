import { isAppError } from '../../kernel/errors.ts';
import { pointName } from '../format/names.ts';
import type { PointStore } from '../points/point-store.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { DECIDED_FOR_MS } from '../sessions/session-ages.ts';
import type { Session } from '../sessions/session-store.ts';
import { nullIfDamaged } from '../verify/diagnose.ts';

/**
 * Removes the object of a point that was deleted and that nobody pins. Its custody stays, and says so to whoever meets
 * an object that a delayed request brought back. False where the store keeps the point.
 */
export async function removePoint({ store }: RepositoryContext, pointId: string): Promise<boolean> {
  try {
    await store.delete(pointName(pointId));
    return true;
  } catch (error) {
    if (isAppError(error, 'VAULT_RETAINED')) {
      return false;
    }
    throw error;
  }
}

/** Custody of points that were deleted, and tombstones, of which nobody should ask any more. Damaged ones stay for `verify`. */
export async function sweepDecided(
  context: RepositoryContext,
  points: PointStore,
  open: readonly Session[],
): Promise<void> {
  const before = context.clock.now() - DECIDED_FOR_MS;
  const announced = new Set(open.map(({ pointId }) => pointId));
  const listed = await points.listed();
  for (const pointId of await points.custody.pointIds()) {
    const state = listed.points.has(pointId) ? null : await nullIfDamaged(points.custody.read(pointId));
    if (state !== null && state.deletedAt !== null && state.deletedAt < before) {
      await points.custody.remove(pointId, state);
    }
  }
  for (const pointId of listed.tombstones) {
    const found = announced.has(pointId) ? null : await nullIfDamaged(points.findObject(pointId));
    if (found?.kind === 'tombstone' && found.fencedAt < before) {
      await removePoint(context, pointId);
    }
  }
}

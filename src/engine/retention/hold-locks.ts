import { isAppError } from '../../kernel/errors.ts';
import { pointName } from '../format/names.ts';
import type { PointStore } from '../points/point-store.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { extendLock } from './extend-lock.ts';

/**
 * A hold has no end, a lock has a date: it is put this far ahead, and again by collections while the hold stands. So a
 * held point is locked for at least half of that, as long as something collects now and then.
 */
const HOLD_LOCK_MS = 60 * 24 * 60 * 60 * 1000;

/** What is damaged, or was never there, is for verification to name: what stands is held all the same. */
const DAMAGE = ['NO_RESTORE_POINT', 'VAULT_OBJECT_MISSING', 'VAULT_CORRUPT', 'VAULT_FORMAT_UNKNOWN'] as const;

/** Locks a point that is held, or about to be, unless it is locked for long enough. */
export async function lockHeld(context: RepositoryContext, points: PointStore, pointId: string): Promise<void> {
  const { clock, store } = context;
  try {
    const until = (await store.retention?.lockedUntil(pointName(pointId))) ?? 0;
    if (until < clock.now() + HOLD_LOCK_MS / 2) {
      await extendLock(context, points, pointId, clock.now() + HOLD_LOCK_MS);
    }
  } catch (error) {
    if (!isAppError(error, ...DAMAGE)) {
      throw error;
    }
  }
}

/** Extends the locks of points that are held. Also of those whose custody is damaged, since they may be. */
export async function renewHeldLocks(context: RepositoryContext, points: PointStore): Promise<void> {
  if (context.store.retention === undefined) {
    return;
  }
  const held: string[] = [];
  for await (const [pointId, state] of points.custody.list((damaged) => held.push(damaged))) {
    if (state.deletedAt === null && state.holds.length > 0) {
      held.push(pointId);
    }
  }
  for (const pointId of held) {
    await lockHeld(context, points, pointId);
  }
}

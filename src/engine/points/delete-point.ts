import { AppError, isAppError } from '../../kernel/errors.ts';
import { isKeyLacking } from '../format/sealed-object.ts';
import type { CustodyState } from './custody-log.ts';
import type { HoldRequest, PointCustody } from './custody-types.ts';
import type { PointStore } from './point-store.ts';

const HOUR_MS = 60 * 60 * 1000;

/**
 * From here on the point does not exist; collection brings its space back. Again: nothing happens. NO_RESTORE_POINT if
 * there never was one, POINT_RETAINED and POINT_HELD while it has to stay, BAD_INPUT if it `isLost` and can be read.
 */
export async function deletePoint(
  points: PointStore,
  pointId: string,
  { now, isLost }: { readonly now: number; readonly isLost: boolean },
): Promise<void> {
  const found = await findRetention(points, pointId);
  const committedWith = found === 'damaged' ? 0 : found;
  await points.custody.append(pointId, (state) => {
    if (state.deletedAt !== null) {
      return null;
    }
    // What could not be read a moment ago may have been out of reach only.
    if (isLost && typeof found === 'number') {
      throw notLost(pointId);
    }
    // Out of sight is not lost: its folder may not be mounted, and only its object says until when it is retained.
    if (committedWith === null && !(isLost && state.last > 0)) {
      throw noPoint(pointId);
    }
    requireDeletable(pointId, Math.max(state.retainUntil, committedWith ?? 0), state, now);
    return { kind: 'delete', at: now };
  });
}

/** Keeps the point until that date too; a date before the one that stands changes nothing. */
export async function extendRetention(points: PointStore, pointId: string, until: number, now: number): Promise<void> {
  if (!Number.isSafeInteger(until) || until < 0) {
    throw new AppError('BAD_INPUT', `Restore point ${pointId} can't be kept until ${until}.`);
  }
  const { summary } = await points.get(pointId);
  await points.custody.append(pointId, (state) => {
    requireUndeleted(pointId, state);
    const stands = Math.max(state.retainUntil, summary.retainUntil ?? 0);
    return until <= stands ? null : { kind: 'retain', at: now, until };
  });
}

/** The same hold again: nothing happens. */
export async function placeHold(points: PointStore, request: HoldRequest, now: number): Promise<void> {
  const { pointId, holdId, reason } = request;
  await points.get(pointId);
  await points.custody.append(pointId, (state) => {
    requireUndeleted(pointId, state);
    return state.holds.some((hold) => hold.holdId === holdId) ? null : { kind: 'hold', at: now, holdId, reason };
  });
}

/** A hold that isn't there, or no longer: nothing happens. */
export async function releaseHold(points: PointStore, pointId: string, holdId: string, now: number): Promise<void> {
  await points.custody.append(pointId, (state) => {
    const stands = state.deletedAt === null && state.holds.some((hold) => hold.holdId === holdId);
    return stands ? { kind: 'release', at: now, holdId } : null;
  });
}

export async function readCustody(points: PointStore, pointId: string): Promise<PointCustody> {
  const { summary } = await points.get(pointId);
  const { retainUntil, holds } = await points.custody.read(pointId);
  return { pointId, retainUntil: Math.max(retainUntil, summary.retainUntil ?? 0), holds };
}

/**
 * The date that it was committed with, 0 without one; null if there is no point. One that is damaged says nothing of
 * itself any more, and can be deleted; not one for which only the key is missing: with it, it may be whole, and retained.
 */
async function findRetention(points: PointStore, pointId: string): Promise<number | 'damaged' | null> {
  try {
    const found = await points.findObject(pointId);
    return found?.kind === 'point' ? (found.point.summary.retainUntil ?? 0) : null;
  } catch (error) {
    if (isAppError(error, 'VAULT_CORRUPT') && !isKeyLacking(error)) {
      return 'damaged';
    }
    throw error;
  }
}

function requireDeletable(pointId: string, retainUntil: number, { holds }: CustodyState, now: number): void {
  if (retainUntil > now) {
    const hours = Math.ceil((retainUntil - now) / HOUR_MS);
    throw new AppError('POINT_RETAINED', `Restore point ${pointId} is retained for another ${hours} h.`, {
      data: { pointId, retainUntil },
    });
  }
  if (holds.length > 0) {
    const holdIds = holds.map(({ holdId }) => holdId);
    throw new AppError('POINT_HELD', `Restore point ${pointId} is held: ${holdIds.join(', ')}.`, {
      data: { pointId, holdIds },
    });
  }
}

function requireUndeleted(pointId: string, { deletedAt }: CustodyState): void {
  if (deletedAt !== null) {
    throw noPoint(pointId);
  }
}

function notLost(pointId: string): AppError {
  return new AppError('BAD_INPUT', `Restore point ${pointId} is not lost: it can be read.`, {
    hint: 'Nothing was changed. list and verify name the restore points that are lost.',
  });
}

function noPoint(pointId: string): AppError {
  return new AppError('NO_RESTORE_POINT', `Restore point ${pointId} is not in this vault.`, {
    hint: 'Choose a restore point that the vault lists.',
  });
}

import { isAppError } from '../../kernel/errors.ts';
import { orDamage } from '../verify/diagnose.ts';
import type { ListedPoints, PointStore } from './point-store.ts';

export interface LostPoint {
  readonly pointId: string;
  readonly problem: 'missing' | 'changed';
  readonly message: string;
}

/** What lists pass over: points that are gone though nobody deleted them, and what is only as long as a tombstone. */
export async function* lostPoints(points: PointStore, listed: ListedPoints): AsyncIterable<LostPoint> {
  const removed = new Set<string>();
  for await (const pointId of points.removed(listed.points)) {
    removed.add(pointId);
    const message = `Restore point ${pointId} is not in the vault, though its custody says that nobody deleted it.`;
    yield { pointId, problem: 'missing', message };
  }
  for (const pointId of listed.tombstones) {
    const found = removed.has(pointId) ? null : await orDamage(points.find(pointId));
    // It may have been a point. One in a bad sector was none, by its length.
    if (isAppError(found, 'VAULT_CORRUPT')) {
      yield { pointId, problem: 'changed', message: found.message };
    }
  }
}

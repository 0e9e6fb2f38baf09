import { pointName } from '../format/names.ts';
import type { PointStore } from '../points/point-store.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { lockForPoint } from './lock-point.ts';

/** A point that is to be kept longer, with all that it needs. Nothing where the store can't lock. */
export async function extendLock(
  context: RepositoryContext,
  points: PointStore,
  pointId: string,
  retainUntil: number,
): Promise<void> {
  const { retention } = context.store;
  if (retention === undefined || !Number.isSafeInteger(retainUntil)) {
    return;
  }
  const { disks } = await points.get(pointId);
  const until = await lockForPoint(context, { disks, retainUntil, inherited: [] });
  if (until !== null) {
    await retention.lockUntil(pointName(pointId), until);
  }
}

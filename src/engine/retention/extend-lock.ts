import { custodyName, pointName } from '../format/names.ts';
import type { PointStore } from '../points/point-store.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { lockForPoint } from './lock-point.ts';

/** A point that is to be kept longer, with all that it needs and all that says so. Nothing where the store can't lock. */
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
  if (until === null) {
    return;
  }
  // Holds and dates that stand: without them the point might be deleted by whoever takes it for free.
  for await (const { name } of context.store.list(custodyName(pointId, ''))) {
    await retention.lockUntil(name, until);
  }
  // Last: what is said of it from now on is locked as long as the point itself.
  await retention.lockUntil(pointName(pointId), until);
}

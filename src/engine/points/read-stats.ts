import { DATA_PREFIX } from '../format/names.ts';
import type { Store } from '../ports/store.ts';
import type { RepositoryStats } from './point-types.ts';
import { listPoints } from './list-points.ts';
import type { PointStore } from './point-store.ts';

/** One listing of everything, and a look into each restore point. */
export async function readStats(store: Store, points: PointStore): Promise<RepositoryStats> {
  const sums = { storedBytes: 0, dataPacks: 0, metaPacks: 0, points: 0 };
  const damagedPoints: string[] = [];
  for await (const { name, sizeBytes } of store.list('')) {
    sums.storedBytes += sizeBytes;
    sums.dataPacks += name.startsWith(DATA_PREFIX) ? 1 : 0;
    sums.metaPacks += name.startsWith('meta/') ? 1 : 0;
  }
  for await (const _ of listPoints(points, { onDamaged: (pointId) => damagedPoints.push(pointId) })) {
    sums.points += 1;
  }
  return { ...sums, damagedPoints };
}

import { AppError } from '../../kernel/errors.ts';
import type { ListPointsOptions, PointSummary } from './point-types.ts';
import type { PointStore } from './point-store.ts';

/**
 * The restore points that can be read. What is damaged of them is told to `onDamaged`; without it the list ends with one error
 * that names them all, after everything else: a single damaged object hides no other.
 */
export async function* listPoints(
  points: PointStore,
  { onDamaged }: ListPointsOptions = {},
): AsyncIterable<PointSummary> {
  const damaged = new Map<string, AppError>();
  for await (const { summary } of points.list((pointId, error) => damaged.set(pointId, error))) {
    yield summary;
  }
  if (onDamaged !== undefined) {
    damaged.forEach((error, pointId) => onDamaged(pointId, error));
    return;
  }
  const [first] = damaged.values();
  if (first !== undefined) {
    const ids = [...damaged.keys()];
    throw new AppError(first.code, `Restore points are damaged: ${ids.join(', ')}. ${first.message}`, {
      data: { ...first.data, damagedPoints: ids },
      cause: first,
    });
  }
}

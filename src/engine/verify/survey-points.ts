import type { AppError } from '../../kernel/errors.ts';
import { throwIfAborted } from '../../kernel/abort.ts';
import { pointName } from '../format/names.ts';
import { lostPoints } from '../points/lost-points.ts';
import type { PointStore } from '../points/point-store.ts';
import type { DiskManifest } from '../manifest/manifest-types.ts';
import { requireDamage } from './diagnose.ts';
import type { DamagedObject, VerifyRequest } from './verify-types.ts';

/** As much of a restore point as verification needs. */
export interface SurveyedPoint {
  readonly pointId: string;
  readonly vmId: string;
  readonly takenAt: number;
  readonly disks: readonly DiskManifest[];
}

export interface PointSurvey {
  readonly points: readonly SurveyedPoint[];
  /** Objects that don't open, by the point's id; a point that is not among `points` is lost with them. */
  readonly damaged: ReadonlyMap<string, DamagedObject>;
}

/** Reads the restore points that are to be verified, and finds those whose own object is damaged. */
export async function surveyPoints(store: PointStore, { pointIds, signal }: VerifyRequest): Promise<PointSurvey> {
  const points: SurveyedPoint[] = [];
  const damaged = new Map<string, DamagedObject>();
  const onDamaged = (pointId: string, error: AppError): void => {
    const { object } = error.data;
    const name = typeof object === 'string' ? object : pointName(pointId);
    damaged.set(pointId, { name, problem: 'changed', message: error.message, lostFrames: 'all' });
  };
  const found = pointIds === undefined ? store.list(onDamaged) : getAll(store, pointIds, onDamaged);
  for await (const { summary, disks } of found) {
    throwIfAborted(signal);
    points.push({ pointId: summary.pointId, vmId: summary.vmId, takenAt: summary.takenAt, disks });
  }
  if (pointIds === undefined) {
    for await (const { pointId, problem, message } of lostPoints(store, await store.listed())) {
      damaged.set(pointId, { name: pointName(pointId), problem, message, lostFrames: 'all' });
    }
  }
  return { points, damaged };
}

async function* getAll(
  store: PointStore,
  pointIds: readonly string[],
  onDamaged: (pointId: string, error: AppError) => void,
): AsyncIterable<Awaited<ReturnType<PointStore['get']>>> {
  for (const pointId of new Set(pointIds)) {
    try {
      yield await store.get(pointId);
    } catch (error) {
      requireDamage(error);
      onDamaged(pointId, error);
    }
  }
}

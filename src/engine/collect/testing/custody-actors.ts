import { isAppError } from '../../../kernel/errors.ts';
import type { Repository } from '../../repository.ts';
import { pickDate } from './model-custody.ts';
import type { Activity, ModelPoint, World } from './model-world.ts';
import { retried } from './retried.ts';

/** A deletion, which is refused where something keeps the point, and only there. */
export async function deleteFrom(world: World, pointId: string, repository: Repository): Promise<void> {
  const point = world.points.get(pointId);
  if (point === undefined) {
    return;
  }
  const { custody } = point;
  const reasons = custody.watch(world.clock.now());
  custody.deleters += 1;
  point.state = custody.isKept(world.clock.now()) ? point.state : 'leaving';
  try {
    await repository.deletePoint(pointId);
  } catch (error) {
    const isRefused = isAppError(error, 'POINT_HELD', 'POINT_RETAINED');
    if (isAppError(error, 'POINT_HELD') ? !reasons.mayBeHeld() : isRefused && !reasons.mayBeRetained()) {
      throw new TypeError(`${pointId} is kept by nothing: ${String(error)}`, { cause: error });
    }
    if (!isRefused) {
      throw error;
    }
    world.refusals += 1;
    return;
  } finally {
    custody.deleters -= 1;
  }
  requireUnkept(world, pointId, point);
  point.state = 'deleted';
}

function requireUnkept(world: World, pointId: string, { custody }: ModelPoint): void {
  if (custody.isKept(world.clock.now())) {
    throw new TypeError(`${pointId} was deleted, and had to stay`);
  }
}

export const deletePoint: Activity = async (world, _, repository) => {
  const pointId = world.random.pick(world.idsOf('live', 'leaving'));
  if (pointId !== undefined) {
    await deleteFrom(world, pointId, repository);
  }
};

/**
 * Does what keeps a point: `isKept` once it is done. Of a hold or a date and a deletion at once, one is first, and the
 * other is refused.
 */
async function keep(
  [pointId, point]: readonly [string, ModelPoint],
  work: () => Promise<void>,
  isKept: () => boolean,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (isAppError(error, 'NO_RESTORE_POINT') && point.state !== 'live') {
      return;
    }
    throw error;
  }
  if (!isKept()) {
    return;
  }
  if (point.state === 'deleted') {
    throw new TypeError(`${pointId} was deleted, and is to stay`);
  }
  point.state = 'live';
}

export const placeHold: Activity = async (world, actor, repository) => {
  const pointId = world.random.pick(world.idsOf('live', 'leaving'));
  const point = world.points.get(pointId ?? '');
  if (pointId === undefined || point === undefined) {
    return;
  }
  const holdId = world.newId();
  point.custody.placing(holdId);
  const place = (): Promise<void> => repository.placeHold({ pointId, holdId, reason: 'a case' });
  await keep(
    [pointId, point],
    () => retried(world, actor, place),
    () => point.custody.placed(holdId),
  );
};

export const extendRetention: Activity = async (world, actor, repository) => {
  const pointId = world.random.pick(world.idsOf('live', 'leaving'));
  const point = world.points.get(pointId ?? '');
  if (pointId === undefined || point === undefined) {
    return;
  }
  const until = pickDate(world.random, world.clock.now());
  point.custody.retaining(until);
  await keep(
    [pointId, point],
    () => retried(world, actor, () => repository.extendRetention(pointId, until)),
    () => point.custody.retained(until, world.clock.now()),
  );
};

export const releaseHold: Activity = async (world, actor, repository) => {
  const held = [...world.points].filter(([, { custody }]) => custody.possibleHolds.length > 0);
  const [pointId, point] = world.random.pick(held) ?? [];
  const holdId = world.random.pick(point?.custody.possibleHolds ?? []);
  if (pointId === undefined || point === undefined || holdId === undefined) {
    return;
  }
  const { custody } = point;
  const how = custody.releasing(holdId);
  point.state = custody.deleters > 0 && point.state === 'live' ? 'leaving' : point.state;
  await retried(world, actor, () => repository.releaseHold(pointId, holdId));
  custody.released(holdId, how);
};

import { isAppError } from '../../../kernel/errors.ts';
import { MemoryDisk } from '../../testing/test-vault.ts';
import type { Repository } from '../../types.ts';
import { makeContent, STRETCH_BYTES } from './model-vault.ts';
import type { Actor, World } from './model-world.ts';

const STRETCHES = 12;
const RESTORE_TRIES = 3;

export type Activity = (world: World, actor: Actor, repository: Repository) => Promise<void>;

interface Plan {
  readonly sessionId: string;
  readonly pointId: string;
  readonly content: Uint8Array;
  readonly base: { readonly pointId: string; readonly at: number } | null;
}

/** A backup, in full or from a change list; what it does after it was fenced may fail. */
export const backUp: Activity = async (world, _, repository) => {
  const plan = planBackup(world);
  try {
    await writePoint(world, plan, repository);
  } catch (error) {
    const isRefused =
      isAppError(error, 'SESSION_FENCED') || (plan.base !== null && isAppError(error, 'NO_RESTORE_POINT'));
    if (!isRefused && world.hasSession(plan.sessionId)) {
      throw error;
    }
  }
  if (world.random.chance(0.9)) {
    await repository.endSession(plan.sessionId);
  }
};

function planBackup(world: World): Plan {
  const { random } = world;
  const ids = { sessionId: world.newId(), pointId: world.newId() };
  const basePoint = random.chance(0.5) ? random.pick(world.idsOf('live', 'leaving')) : undefined;
  const old = basePoint === undefined ? undefined : world.points.get(basePoint)?.numbers;
  const numbers = [...(old ?? Array.from({ length: 3 + random.below(6) }, () => random.below(STRETCHES)))];
  const at = random.below(numbers.length);
  numbers[at] = random.below(STRETCHES);
  const content = makeContent(numbers);
  world.points.set(ids.pointId, { content, numbers, state: 'announced' });
  return { ...ids, content, base: basePoint === undefined ? null : { pointId: basePoint, at } };
}

async function writePoint(
  world: World,
  { sessionId, pointId, content, base }: Plan,
  repository: Repository,
): Promise<void> {
  const pins = base === null ? [] : [base.pointId];
  await repository.beginSession({ sessionId, pointId, purpose: 'backup', pins });
  const changed = [{ offset: (base?.at ?? 0) * STRETCH_BYTES, length: STRETCH_BYTES }];
  const disk = await repository.writeDisk({
    sessionId,
    diskKey: 'xvda',
    sizeBytes: content.length,
    source: new MemoryDisk(content),
    sampleBytes: 0,
    unchangedFrom: world.random.chance(0.3) ? 'vault' : 'source',
    ...(base === null ? {} : { base: { pointId: base.pointId, diskKey: 'xvda' }, changed }),
  });
  const config = new Uint8Array(0);
  await repository.commitPoint({ sessionId, pointId, vmId: 'vm', takenAt: 0, disks: [disk], config, info: {} });
  if (world.points.get(pointId)?.state === 'announced') {
    throw new TypeError(`${pointId} was committed, and is not there`);
  }
}

/** A restore: what was pinned comes back whole, unless the session was taken for dead. */
export const restorePoint: Activity = async (world, _, repository) => {
  const pointId = world.random.pick(world.idsOf('live'));
  const expected = world.points.get(pointId ?? '')?.content;
  if (pointId === undefined || expected === undefined) {
    return;
  }
  const sessionId = world.newId();
  const restored = new Uint8Array(expected.length);
  try {
    await repository.beginSession({ sessionId, pointId: world.newId(), purpose: 'restore', pins: [pointId] });
    await restoreInto(restored, () =>
      repository.restoreDisk({ sessionId, pointId, diskKey: 'xvda', sink: sinkOf(restored) }),
    );
    if (Buffer.compare(restored, expected) !== 0) {
      throw new TypeError(`${pointId} was restored to something else`);
    }
  } catch (error) {
    const isRefused = isAppError(error, 'NO_RESTORE_POINT');
    if (error instanceof TypeError || (!isRefused && world.hasSession(sessionId))) {
      throw error;
    }
  }
  await repository.endSession(sessionId);
};

/** A pack may go between the plan that names it and the read, where there is no grace period: the next try finds it. */
export async function restoreInto(restored: Uint8Array, restore: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await restore();
      return;
    } catch (error) {
      if (tries === RESTORE_TRIES || !isAppError(error, 'VAULT_OBJECT_MISSING', 'VAULT_CORRUPT')) {
        throw error;
      }
      restored.fill(0);
    }
  }
}

export function sinkOf(restored: Uint8Array): {
  concurrency: number;
  write(offset: number, data: Uint8Array): Promise<void>;
} {
  return { concurrency: 2, write: async (offset, data) => restored.set(data, offset) };
}

export const deletePoint: Activity = async (world, _, repository) => {
  const pointId = world.random.pick(world.idsOf('live', 'leaving'));
  const point = world.points.get(pointId ?? '');
  if (pointId === undefined || point === undefined) {
    return;
  }
  point.state = 'leaving';
  await repository.deletePoint(pointId);
  point.state = 'deleted';
};

export const collect: Activity = async (world, _, repository) => {
  const { random } = world;
  const graceMs = random.chance(0.7) ? 0 : 60_000;
  try {
    await repository.collect({ graceMs, minLiveShare: random.pick([0.3, 0.5, 1]) ?? 0.5 });
  } catch (error) {
    if (!isAppError(error, 'SESSION_FENCED')) {
      throw error;
    }
  }
};

/** Somebody else clears up after a session, as after a worker that was given up. */
export const endAnother: Activity = async (world, _, repository) => {
  const sessions: string[] = [];
  for await (const { sessionId, purpose } of repository.listSessions()) {
    if (purpose !== 'collect' || world.random.chance(0.2)) {
      sessions.push(sessionId);
    }
  }
  const sessionId = world.random.pick(sessions);
  if (sessionId !== undefined) {
    await repository.endSession(sessionId);
  }
};

export const raiseEpoch: Activity = async (_, __, repository) => {
  await repository.raiseEpoch();
};

import { isAppError } from '../../../kernel/errors.ts';
import { MemoryDisk } from '../../testing/test-vault.ts';
import type { Repository } from '../../repository.ts';
import { makeContent, STRETCH_BYTES } from './model-vault.ts';
import { deleteFrom } from './custody-actors.ts';
import { ModelCustody, pickDate } from './model-custody.ts';
import type { Activity, Actor, World } from './model-world.ts';
import { retried } from './retried.ts';

const STRETCHES = 12;
const RESTORE_TRIES = 3;

interface Plan {
  readonly sessionId: string;
  readonly pointId: string;
  readonly content: Uint8Array;
  readonly base: { readonly pointId: string; readonly at: number } | null;
  readonly retainUntil: number | null;
}

/** A backup, in full or from a change list; what it does after it was fenced may fail. */
export const backUp: Activity = async (world, actor, repository) => {
  await backUpAs(planBackup(world), world, actor, repository);
};

async function backUpAs(plan: Plan, world: World, actor: Actor, repository: Repository): Promise<void> {
  try {
    await retried(world, actor, () => writePoint(world, plan, repository));
  } catch (error) {
    const isRefused =
      isAppError(error, 'SESSION_FENCED') || (plan.base !== null && isAppError(error, 'NO_RESTORE_POINT'));
    if (!isRefused && world.mayCommit(plan)) {
      throw error;
    }
  }
  if (world.random.chance(0.9)) {
    await repository.endSession(plan.sessionId);
  }
}

function planBackup(world: World): Plan {
  const { random } = world;
  const basePoint = random.chance(0.5) ? random.pick(world.idsOf('live', 'leaving')) : undefined;
  const old = basePoint === undefined ? undefined : world.points.get(basePoint)?.numbers;
  const numbers = [...(old ?? Array.from({ length: 3 + random.below(6) }, () => random.below(STRETCHES)))];
  const at = random.below(numbers.length);
  numbers[at] = random.below(STRETCHES);
  return announce(world, numbers, basePoint === undefined ? null : { pointId: basePoint, at });
}

function announce(world: World, numbers: readonly number[], base: Plan['base']): Plan {
  const ids = { sessionId: world.newId(), pointId: world.newId() };
  const content = makeContent(numbers);
  const custody = new ModelCustody();
  const retainUntil = world.random.chance(0.2) ? pickDate(world.random, world.clock.now()) : null;
  custody.retaining(retainUntil ?? 0);
  world.points.set(ids.pointId, { content, numbers, state: 'announced', custody });
  return { ...ids, content, base, retainUntil };
}

async function writePoint(
  world: World,
  { sessionId, pointId, content, base, retainUntil }: Plan,
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
  const facts = { vmId: 'vm', takenAt: 0, disks: [disk], config, info: {} };
  await repository.commitPoint({ sessionId, pointId, ...facts, ...(retainUntil === null ? {} : { retainUntil }) });
  world.points.get(pointId)?.custody.retained(retainUntil ?? 0, world.clock.now());
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

/** Of several new packs half is needed: what a collection copies of them is more than one pack. */
export const thinOut: Activity = async (world, actor, repository) => {
  const first = STRETCHES * (1 + world.random.below(20));
  const numbers = Array.from({ length: STRETCHES }, (_, i) => first + i);
  const whole = announce(world, numbers, null);
  await backUpAs(whole, world, actor, repository);
  const half = numbers.filter((number) => number % 2 === 0);
  await backUpAs(announce(world, half, null), world, actor, repository);
  const point = world.points.get(whole.pointId);
  if (point?.state === 'live') {
    await deleteFrom(world, whole.pointId, repository);
  }
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

/** What it condemns while something can't be read is copied by the next collection, and stays restorable. */
export const verify: Activity = async (_, __, repository) => {
  await repository.verify({ level: 2, condemn: true });
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

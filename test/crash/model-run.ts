import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KIB } from '../../src/kernel/bytes.ts';
import { isAppError } from '../../src/kernel/errors.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { createRepository, FileKeyRing, openRepository, type Repository, type Store } from '../../src/engine/index.ts';
import { LoneLeases } from '../../src/engine/testing/lone-leases.ts';
import { SMALL_PARAMETERS } from '../../src/engine/testing/test-vault.ts';
import { Finding } from './check.ts';
import { live, type LifeOptions, type Moment } from './life.ts';
import { collectAll, perform, restoreAll, type Operation } from './operation.ts';
import { cutPower, type CutTally } from './power-cuts.ts';
import { Random } from './random.ts';
import { World, type WorldOptions } from './world.ts';

export const TINY_WORLD: WorldOptions = { machines: 1, maxDiskBytes: 300 * KIB };

export function newCutTally(): CutTally {
  return { moments: 0, states: 0, goneOn: 0 };
}

export interface ModelRunOptions extends Omit<LifeOptions, 'world'> {
  readonly atRandom: number;
  readonly goOnShare: number;
  readonly lookShare: number;
}

/** One vault's life on a model disk, and every power cut in it. */
export async function runPowerCuts(seed: number, options: ModelRunOptions, tally: CutTally): Promise<void> {
  const random = new Random(seed);
  const keyFolder = await mkdtemp(join(tmpdir(), 'holdfast-cuts-'));
  const keyRing = new FileKeyRing(keyFolder);
  const ids = { keyRing, clock: systemClock, tenantId: random.uuid(), repositoryId: random.uuid() };
  const open = (store: Store) => openRepository({ ...ids, store, leases: new LoneLeases(systemClock), workers: 1 });
  try {
    const create = (store: Store) => createRepository({ ...ids, store, parameters: SMALL_PARAMETERS });
    const moments = await live(random, create, open, { ...options, world: TINY_WORLD });
    const { atRandom, goOnShare, lookShare } = options;
    await cutPower(moments, {
      random,
      atRandom,
      goOnShare,
      lookShare,
      tally,
      open,
      goOn: (repository, moment) => goOn(repository, moment, random),
    });
  } catch (error) {
    throw new Finding(`Seed ${seed}: ${String(error)}`, { cause: error });
  } finally {
    await rm(keyFolder, { recursive: true, force: true });
  }
}

/** Whoever comes next finishes what was interrupted, or does something else; and that restores. */
async function goOn(repository: Repository, { points, operation }: Moment, random: Random): Promise<void> {
  const world = new World(random, TINY_WORLD);
  points.forEach((point, pointId) => world.points.set(pointId, { ...point }));
  if (operation !== null && operation.kind !== 'restore' && random.chance(0.6)) {
    await finish(repository, operation);
  }
  const next = world.backUp();
  await perform(repository, next);
  await collectAll(repository);
  world.done({ ...next, kind: 'restore', neverPointId: '' }, await restoreAll(repository, next.pointId));
}

/** A point that it pins may be gone, or its own may be fenced: then that is the answer. */
async function finish(repository: Repository, operation: Operation): Promise<void> {
  try {
    await perform(repository, operation);
  } catch (error) {
    if (!isAppError(error, 'SESSION_FENCED')) {
      throw error;
    }
  }
}

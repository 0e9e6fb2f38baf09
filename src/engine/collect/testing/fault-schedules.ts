import { isAppError } from '../../../kernel/errors.ts';
import type { Repository } from '../../repository.ts';
import { SlowProcess } from './slow-process.ts';
import type { Stage } from './stage.ts';

/** What somebody does while the store fails, and what there is before. Done once more it succeeds. */
export interface FaultSchedule {
  /** Of so many reads one is tried; with the next seed the next one. */
  readonly readsEvery: number;
  readonly setUp: (stage: Stage) => Promise<void>;
  readonly work: (stage: Stage, repository: Repository) => Promise<void>;
}

const HOUR = 60 * 60 * 1000;
const YEAR = 366 * 24 * HOUR;
const HOLD = '33333333-3333-4333-8333-333333333333';
const WHOLE = Array.from({ length: 12 }, (_, i) => i);
const HALF = WHOLE.filter((number) => number % 2 === 0);

/** Of each pack of a deleted point another one needs a part: all these parts are more than one pack. */
async function thinOut(stage: Stage): Promise<void> {
  await using repository = await stage.open();
  await stage.write(repository, 'whole', WHOLE);
  await stage.write(repository, 'kept', HALF);
  await stage.deletePoint('whole');
}

async function placeHold(stage: Stage, repository: Repository): Promise<void> {
  await repository.placeHold({ pointId: stage.idOf('kept'), holdId: HOLD, reason: 'a case' });
}

async function extendRetention(stage: Stage, repository: Repository): Promise<void> {
  await repository.extendRetention(stage.idOf('kept'), stage.world.clock.now() + YEAR);
}

async function requireRefusal(stage: Stage, repository: Repository): Promise<void> {
  try {
    await repository.deletePoint(stage.idOf('kept'));
  } catch (error) {
    if (isAppError(error, 'POINT_HELD', 'POINT_RETAINED')) {
      return;
    }
    throw error;
  }
  throw new TypeError('what has to stay was deleted');
}

export const FAULT_SCHEDULES = {
  'a collection that copies': {
    readsEvery: 40,
    setUp: thinOut,
    work: async (_, repository) => void (await repository.collect({ graceMs: 0, minLiveShare: 1 })),
  },
  'a backup': {
    readsEvery: 16,
    setUp: thinOut,
    work: (stage, repository) => stage.write(repository, 'new', [1, 2, 20, 21, 22]),
  },
  'a backup of changes': {
    readsEvery: 16,
    setUp: thinOut,
    work: (stage, repository) =>
      stage.write(repository, 'new', HALF.with(2, 20), { pointId: stage.idOf('kept'), at: 2 }),
  },
  'a restore': {
    readsEvery: 4,
    setUp: thinOut,
    work: (stage, repository) => stage.restore(repository, 'kept'),
  },
  'a deletion': {
    readsEvery: 2,
    setUp: async (stage) => {
      await thinOut(stage);
      await using repository = await stage.open();
      await stage.write(repository, 'going', [1, 20]);
    },
    work: async (stage, repository) => {
      const pointId = stage.idOf('going');
      stage.setState(pointId, 'leaving');
      await repository.deletePoint(pointId);
      stage.setState(pointId, 'deleted');
    },
  },
  'a deletion of a point that is held': {
    readsEvery: 1,
    setUp: async (stage) => {
      await thinOut(stage);
      await using repository = await stage.open();
      await placeHold(stage, repository);
    },
    work: (stage, repository) => requireRefusal(stage, repository),
  },
  'a deletion of a point that is retained': {
    readsEvery: 1,
    setUp: async (stage) => {
      await thinOut(stage);
      await using repository = await stage.open();
      await extendRetention(stage, repository);
    },
    work: (stage, repository) => requireRefusal(stage, repository),
  },
  'a hold and a date': {
    readsEvery: 4,
    setUp: thinOut,
    work: async (stage, repository) => {
      await placeHold(stage, repository);
      await requireRefusal(stage, repository);
      await repository.releaseHold(stage.idOf('kept'), HOLD);
      await extendRetention(stage, repository);
      await requireRefusal(stage, repository);
    },
  },
  'a collection that removes a dead writer': {
    readsEvery: 40,
    setUp: async (stage) => {
      await thinOut(stage);
      const writer = new SlowProcess(stage.world);
      await writer.begin((repository) => stage.write(repository, 'dead', [20, 21, 22, 23]));
      await writer.stepTo(/^put points/);
      await stage.world.kill(writer.actor);
      stage.world.clock.advance(HOUR);
    },
    work: async (_, repository) => void (await repository.collect({ graceMs: 0, minLiveShare: 1 })),
  },
  'a repair of what is damaged': {
    readsEvery: 4,
    setUp: thinOut,
    work: async (_, repository) => void (await repository.repair({ index: 'damaged', level: 2 })),
  },
  'a repair of everything': {
    readsEvery: 4,
    setUp: thinOut,
    work: async (_, repository) => void (await repository.repair({ index: 'all' })),
  },
  'a verification that condemns': {
    readsEvery: 2,
    setUp: thinOut,
    work: async (_, repository) => void (await repository.verify({ level: 2, condemn: true })),
  },
} as const satisfies Readonly<Record<string, FaultSchedule>>;

import { isAppError } from '../../../kernel/errors.ts';
import { requireNoWaste } from './run-model.ts';
import { SlowProcess } from './slow-process.ts';
import { settle } from './model-world.ts';
import { Stage } from './stage.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WASTE_EVERY = 10;

/** One order of things, but for the request at which somebody is stopped. */
export interface Schedule {
  /** Not each request is tried with each seed: every so many, and the next seed begins one later. Each, if absent. */
  readonly every?: number;
  readonly setUp: (stage: Stage) => Promise<void>;
  /** False if there was no such request any more. */
  readonly play: (stage: Stage, stop: number) => Promise<boolean>;
}

/** A pack of a deleted point, and one of which only a third is needed: of `kept`, which deltas can lie over. */
async function writeAndDelete(stage: Stage): Promise<void> {
  await using repository = await stage.open();
  await stage.write(repository, 'gone', [1, 2, 3]);
  await stage.write(repository, 'thinned', [4, 5, 6]);
  await stage.write(repository, 'kept', [4, 7, 8]);
  await stage.deletePoint('gone');
  await stage.deletePoint('thinned');
}

/** The same, and its packs are condemned, and nobody is waited for any more. */
async function condemn(stage: Stage): Promise<void> {
  await writeAndDelete(stage);
  await stage.collect(HOUR);
  stage.world.clock.advance(3 * MINUTE);
  await stage.collect(HOUR);
}

const REUSED = [1, 2, 4, 5, 9];

/** Whatever the writer knew when it was stopped. */
const stoppedWriter: Schedule = {
  setUp: writeAndDelete,
  play: async (stage, stop) => {
    const writer = new SlowProcess(stage.world);
    await writer.begin((repository) => stage.write(repository, 'new', REUSED));
    const isStopped = await writer.step(stop);
    await stage.collect();
    await stage.collect();
    await stage.audit();
    await writer.finish();
    await finish(stage, stop, ['new', 'kept']);
    return isStopped;
  },
};

/** A delta over a base that is deleted, whose packs were condemned before the session began. */
const deletedBase: Schedule = {
  setUp: condemn,
  play: async (stage, stop) => {
    const writer = new SlowProcess(stage.world);
    const base = { pointId: stage.idOf('kept'), at: 2 };
    await writer.begin((repository) => stage.write(repository, 'new', [4, 7, 9], base));
    const isStopped = await writer.step(stop);
    await stage.deletePoint('kept');
    await stage.collect();
    await stage.audit();
    await writer.finish();
    await finish(stage, stop, []);
    return isStopped;
  },
};

/** Two deltas over one point, which is deleted: what one of them replaces the other still needs. */
const twoBranches: Schedule = {
  every: 3,
  setUp: condemn,
  play: async (stage, stop) => {
    const writer = new SlowProcess(stage.world);
    const pointId = stage.idOf('kept');
    await writer.begin((repository) => stage.write(repository, 'left', [4, 7, 9], { pointId, at: 2 }));
    const isStopped = await writer.step(stop);
    await using repository = await stage.open();
    await stage.write(repository, 'right', [9, 7, 8], { pointId, at: 0 });
    await stage.deletePoint('kept');
    await stage.collect(0, 1);
    await stage.audit();
    await writer.finish();
    await finish(stage, stop, ['right']);
    return isStopped;
  },
};

const deletedWhileRestored: Schedule = {
  setUp: condemn,
  play: async (stage, stop) => {
    const reader = new SlowProcess(stage.world);
    await reader.begin((repository) => stage.restore(repository, 'kept'));
    const isStopped = await reader.step(stop);
    await stage.deletePoint('kept');
    await stage.collect();
    await stage.audit();
    await reader.finish();
    await finish(stage, stop, []);
    return isStopped;
  },
};

/** A process that has seen the packs, and was idle while they went. */
const warmProcess: Schedule = {
  setUp: writeAndDelete,
  play: async (stage, stop) => {
    await using warm = await stage.open();
    await stage.write(warm, 'again', REUSED);
    await stage.deletePoint('again');
    const collector = new SlowProcess(stage.world);
    await collector.begin(async (repository) => void (await repository.collect({ graceMs: 0 })));
    const isStopped = await collector.step(stop);
    await stage.write(warm, 'new', REUSED);
    await stage.restore(warm, 'kept');
    await stage.audit();
    await collector.finish();
    await finish(stage, stop, ['new', 'kept']);
    return isStopped;
  },
};

/** As before, but so long that the numbers under which the packs were condemned are gone too. */
const idleForMonths: Schedule = {
  every: 4,
  setUp: writeAndDelete,
  play: async (stage, stop) => {
    await using warm = await stage.open();
    await stage.write(warm, 'again', REUSED);
    await stage.deletePoint('again');
    await stage.collect();
    stage.world.clock.advance(31 * DAY);
    await using other = await stage.open();
    await stage.write(other, 'last', [11, 12]);
    await stage.deletePoint('last');
    const collector = new SlowProcess(stage.world);
    await collector.begin(async (repository) => void (await repository.collect({ graceMs: 0 })));
    const isStopped = await collector.step(stop);
    await stage.write(warm, 'new', REUSED);
    await stage.audit();
    await collector.finish();
    await finish(stage, stop, ['new', 'kept']);
    return isStopped;
  },
};

/** A writer that begins while a collector is stopped, and commits when that has ended. */
const writerWithin: Schedule = {
  setUp: writeAndDelete,
  play: async (stage, stop) => {
    const writer = new SlowProcess(stage.world);
    const collector = new SlowProcess(stage.world);
    await collector.begin(async (repository) => void (await repository.collect({ graceMs: 0 })));
    const isStopped = await collector.step(stop);
    await writer.begin((repository) => stage.write(repository, 'new', REUSED));
    await writer.stepTo(/^put meta/);
    await collector.finish();
    await stage.collect();
    await writer.finish();
    await finish(stage, stop, ['new', 'kept']);
    return isStopped;
  },
};

/** Two collectors at once; each may be the one that comes later. */
const twoCollectors: Schedule = {
  setUp: writeAndDelete,
  play: async (stage, stop) => {
    const collector = new SlowProcess(stage.world);
    await collector.begin(async (repository) => void (await repository.collect({ graceMs: 0, minLiveShare: 0.5 })));
    const isStopped = await collector.step(stop);
    await stage.audit();
    await stage.collect(0, 1);
    await stage.audit();
    await collector.finish();
    await finish(stage, stop, ['kept']);
    return isStopped;
  },
};

/** A collector that is taken for dead; another begins, with other limits, and is stopped in its turn. */
const wokenCollector: Schedule = {
  every: 2,
  setUp: writeAndDelete,
  play: async (stage, stop) => {
    const zombie = new SlowProcess(stage.world);
    await zombie.begin((repository) => collectUnlessFenced(() => repository.collect({ graceMs: 0 })));
    const isStopped = await zombie.step(stop);
    zombie.actor.state = 'stopped';
    stage.world.clock.advance(10 * MINUTE);
    await settle();
    await using repository = await stage.open();
    await stage.write(repository, 'new', REUSED);
    await stage.collect(0, 1);
    await stage.deletePoint('kept');
    const other = new SlowProcess(stage.world);
    await other.begin((own) => collectUnlessFenced(() => own.collect({ graceMs: 0 })));
    await other.stepTo(/^delete data/);
    await stage.write(repository, 'newer', [4, 7, 3]);
    zombie.actor.wake();
    await settle();
    await zombie.finish();
    await stage.audit();
    await other.finish();
    await finish(stage, stop, ['new', 'newer']);
    return isStopped;
  },
};

async function collectUnlessFenced(collect: () => Promise<unknown>): Promise<void> {
  try {
    await collect();
  } catch (error) {
    if (!isAppError(error, 'SESSION_FENCED')) {
      throw error;
    }
  }
}

/** What was promised is there, also after the next collection; and then, which is looked up now and then, nothing else. */
async function finish(stage: Stage, stop: number, expected: readonly string[]): Promise<void> {
  const live = stage.world.idsOf('live');
  const missing = expected.filter((name) => !live.includes(stage.idOf(name)));
  if (missing.length > 0) {
    throw new Error(`never came to be: ${missing.join(', ')}`);
  }
  if (stop % WASTE_EVERY === 0) {
    await requireNoWaste(stage.world);
  } else {
    await stage.collect();
    await stage.audit();
  }
}

export const SCHEDULES: Readonly<Record<string, Schedule>> = {
  'a writer that is stopped': stoppedWriter,
  'a delta over a point that is deleted': deletedBase,
  'two deltas over a point that is deleted': twoBranches,
  'a restore of a point that is deleted': deletedWhileRestored,
  'a process that has seen what goes': warmProcess,
  'a process that was idle for months': idleForMonths,
  'a writer that begins within a collection': writerWithin,
  'two collectors at once': twoCollectors,
  'a collector that is taken for dead': wokenCollector,
};

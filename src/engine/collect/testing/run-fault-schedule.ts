import { FaultAt, type Place } from './fault-at.ts';
import type { FaultSchedule } from './fault-schedules.ts';
import { requireNoWaste } from './run-model.ts';
import { SlowProcess } from './slow-process.ts';
import { Stage } from './stage.ts';

const WASTE_EVERY = 10;

/**
 * The store fails at each change in turn, and at every so many reads. Returns how many runs that were.
 */
export async function runFaultSchedule(schedule: FaultSchedule, seed: number): Promise<number> {
  const first = new Stage(seed);
  await first.world.begin();
  await schedule.setUp(first);
  const scene = first.toScene();
  let runs = 0;
  for (const [among, every] of [
    ['changes', 1],
    ['reads', schedule.readsEvery],
  ] as const) {
    for (let at = (seed - 1) % every, isThere = true; isThere; at += every) {
      // An error of the disk itself is what is most easily taken for damage; of the others each has its turn.
      for (const way of [0, 1 + seed + runs]) {
        const place = { among, at, way, length: 1 + (runs % 3) };
        isThere = await playAt(Stage.from(scene, seed + 1000), schedule, place, seed);
        runs += 1;
      }
    }
  }
  return runs;
}

async function playAt(stage: Stage, schedule: FaultSchedule, place: Place, seed: number): Promise<boolean> {
  try {
    return await play(stage, schedule, place);
  } catch (error) {
    const trace = stage.world.trace.join('\n');
    throw new Error(`seed ${seed}, ${JSON.stringify(place)}: ${String(error)}\n${trace}`, { cause: error });
  }
}

/** False if there is no such request. */
async function play(stage: Stage, { work }: FaultSchedule, place: Place): Promise<boolean> {
  const { world } = stage;
  const faults = new FaultAt(place);
  const someone = new SlowProcess(world);
  await someone.begin(async () => {}); // opens the vault
  await someone.finish();
  world.faults = faults;
  await someone.begin(async (repository) => {
    try {
      await work(stage, repository);
    } catch (error) {
      if (!someone.actor.excuses.excuse(error)) {
        throw error;
      }
      world.note(`it fails: ${String(error)}`);
    }
  });
  await someone.finish();
  world.faults = null;
  await stage.audit();
  // What failed leaves nothing behind that stands in its own way.
  await someone.begin((repository) => work(stage, repository));
  await someone.finish();
  await stage.audit();
  await (place.at % WASTE_EVERY === 0 ? requireNoWaste(world) : stage.collect(0, 1));
  await stage.audit();
  return faults.isReached;
}

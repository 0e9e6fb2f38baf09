import type { Schedule } from './schedules.ts';
import { Stage } from './stage.ts';

/** Somebody is stopped at each request in turn. Returns how many runs that were. */
export async function runSchedule({ setUp, play, every = 1 }: Schedule, seed: number): Promise<number> {
  const first = new Stage(seed);
  await first.world.begin();
  await setUp(first);
  const scene = first.toScene();
  let runs = 0;
  for (let stop = (seed - 1) % every, isStopped = true; isStopped; stop += every) {
    const stage = Stage.from(scene, seed + 1000);
    try {
      isStopped = await play(stage, stop);
    } catch (error) {
      const trace = stage.world.trace.join('\n');
      throw new Error(`seed ${seed}, request ${stop}: ${String(error)}\n${trace}`, { cause: error });
    }
    runs += 1;
  }
  return runs;
}

import { describe, expect, test, vi } from 'vitest';
import { Random } from './testing/random.ts';
import { SCHEDULES } from './testing/schedules.ts';
import { Stage } from './testing/stage.ts';

const random = vi.hoisted(() => ({ bytes: (length: number): Buffer => Buffer.alloc(length) }));

// Lanes without threads, and ids from the seed: a run is the same again.
vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'));
vi.mock('node:crypto', async (original) => {
  const actual = await original<typeof import('node:crypto')>();
  const randomUUID = (): string => {
    const hex = random.bytes(16).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  };
  return { ...actual, randomBytes: (length: number) => random.bytes(length), randomUUID };
});

/** More orders of identifiers: `test/engine/collection-model.long.spec.ts` sets this. */
const SEEDS = Number(process.env['HOLDFAST_SCHEDULE_SEEDS'] ?? 1);
const TIMEOUT_MS = Number(process.env['HOLDFAST_MODEL_TIMEOUT_MS'] ?? 300_000);

describe('whoever is stopped, at whatever request', () => {
  test.for(Object.entries(SCHEDULES))('%s', { timeout: TIMEOUT_MS }, async ([, { setUp, play, every = 1 }]) => {
    let runs = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const own = new Random(seed);
      random.bytes = (length) => own.bytes(length);
      const first = new Stage(seed);
      await first.world.begin();
      await setUp(first);
      const scene = first.toScene();
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
    }
    expect(runs).toBeGreaterThan(10 * SEEDS);
  });
});

import { describe, expect, test, vi } from 'vitest';
import { SEEDS, withEverySeed } from './testing/every-seed.ts';
import { FAULT_SCHEDULES } from './testing/fault-schedules.ts';
import { runFaultSchedule } from './testing/run-fault-schedule.ts';
import { seedIdentifiers } from './testing/seeded-identifiers.ts';
import { Stage } from './testing/stage.ts';

// Lanes without threads, and ids from the seed: a run is the same again.
vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'));
vi.mock('node:crypto', async (original) => {
  const { seededCrypto } = await import('./testing/seeded-identifiers.ts');
  return seededCrypto(original);
});

const TIMEOUT_MS = Number(process.env['HOLDFAST_MODEL_TIMEOUT_MS'] ?? 300_000);

describe('a store that fails once, at whatever request', () => {
  test.for(Object.entries(FAULT_SCHEDULES))('%s', { timeout: TIMEOUT_MS }, async ([, schedule]) => {
    const runs = await withEverySeed((seed) => runFaultSchedule(schedule, seed));
    expect(runs).toBeGreaterThan(5 * SEEDS);
  });
});

test('what the collection copies is more than one pack: what was put in between must not get lost', async () => {
  seedIdentifiers(1);
  const stage = new Stage(1);
  await stage.world.begin();
  await FAULT_SCHEDULES['a collection that copies'].setUp(stage);
  await stage.collect(0, 1);
  expect([...stage.world.store.objects.keys()].filter((name) => name.startsWith('data/')).length).toBeGreaterThan(1);
});

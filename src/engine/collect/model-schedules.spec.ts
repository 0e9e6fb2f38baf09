import { describe, expect, test, vi } from 'vitest';
import { runSchedule } from './testing/run-schedule.ts';
import { SCHEDULES } from './testing/schedules.ts';
import { seedIdentifiers } from './testing/seeded-identifiers.ts';

// Lanes without threads, and ids from the seed: a run is the same again.
vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'));
vi.mock('node:crypto', async (original) => {
  const { seededCrypto } = await import('./testing/seeded-identifiers.ts');
  return seededCrypto(original);
});

/** More orders of identifiers: `test/engine/collection-model.long.spec.ts` sets this. */
const SEEDS = Number(process.env['HOLDFAST_SCHEDULE_SEEDS'] ?? 1);
const TIMEOUT_MS = Number(process.env['HOLDFAST_MODEL_TIMEOUT_MS'] ?? 300_000);

describe('whoever is stopped, at whatever request', () => {
  test.for(Object.entries(SCHEDULES))('%s', { timeout: TIMEOUT_MS }, async ([, schedule]) => {
    let runs = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      seedIdentifiers(seed);
      runs += await runSchedule(schedule, seed);
    }
    expect(runs).toBeGreaterThan(10 * SEEDS);
  });
});

import { describe, expect, test, vi } from 'vitest';
import { SEEDS, withEverySeed } from './testing/every-seed.ts';
import { runSchedule } from './testing/run-schedule.ts';
import { SCHEDULES } from './testing/schedules.ts';

// Lanes without threads, and ids from the seed: a run is the same again.
vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'));
vi.mock('node:crypto', async (original) => {
  const { seededCrypto } = await import('./testing/seeded-identifiers.ts');
  return seededCrypto(original);
});

const TIMEOUT_MS = Number(process.env['HOLDFAST_MODEL_TIMEOUT_MS'] ?? 300_000);

describe('whoever is stopped, at whatever request', () => {
  test.for(Object.entries(SCHEDULES))('%s', { timeout: TIMEOUT_MS }, async ([, schedule]) => {
    const runs = await withEverySeed((seed) => runSchedule(schedule, seed));
    expect(runs).toBeGreaterThan(10 * SEEDS);
  });
});

import { randomUUID } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { Random } from './testing/random.ts';
import { runModel } from './testing/run-model.ts';
import { seedIdentifiers } from './testing/seeded-identifiers.ts';

// Lanes without threads, and ids from the seed: a run is the same again.
vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'));
vi.mock('node:crypto', async (original) => {
  const { seededCrypto } = await import('./testing/seeded-identifiers.ts');
  return seededCrypto(original);
});

/** More of them: `test/engine/collection-model.long.spec.ts`, which sets these. */
const FIRST = Number(process.env['HOLDFAST_MODEL_FIRST_SEED'] ?? 1);
const SEEDS = Number(process.env['HOLDFAST_MODEL_SEEDS'] ?? 50);
const STEPS = Number(process.env['HOLDFAST_MODEL_STEPS'] ?? 600);

const TIMEOUT_MS = Number(process.env['HOLDFAST_MODEL_TIMEOUT_MS'] ?? 300_000);

test(
  'whatever the order: listed points restore, and in the end only what they need is left',
  { timeout: TIMEOUT_MS },
  async () => {
    const sums = { points: 0, deletions: 0, refusals: 0 };
    for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
      seedIdentifiers(seed);
      try {
        const { points, deletions, refusals } = await runModel(new Random(seed + 1_000_000), STEPS);
        sums.points += points;
        sums.deletions += deletions;
        sums.refusals += refusals;
      } catch (error) {
        throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
      }
    }
    expect(sums.points).toBeGreaterThan(SEEDS);
    expect(sums.deletions).toBeGreaterThan(SEEDS);
    expect(sums.refusals).toBeGreaterThan(SEEDS / 10);
  },
);

test('the same seed makes the same identifiers again', () => {
  seedIdentifiers(7);
  const made = [randomUUID(), randomUUID()];
  seedIdentifiers(7);
  expect([randomUUID(), randomUUID()]).toEqual(made);
});

import { expect, test } from 'vitest';
import { directoryPlace, newTally, runKills } from './run-kills.ts';

const MAX_SEEDS = 20;

test('a process that is killed at any change or moment harms nothing, and the next one goes on', async () => {
  const tally = newTally();
  // Some are killed by the clock, so that what becomes of a seed depends on the machine: not each resumes a backup.
  for (let seed = 1; seed === 1 || (tally.resumed === 0 && seed <= MAX_SEEDS); seed += 1) {
    await runKills(seed, 6, directoryPlace, tally);
  }
  expect(tally.kills).toBeGreaterThanOrEqual(6);
  expect(tally.resumed).toBeGreaterThan(0);
});

import { expect, test } from 'vitest';
import { directoryPlace, newTally, runKills } from './run-kills.ts';

const SEEDS = 50;
const KILLS_A_SEED = 40;

test('thousands of killed processes harm nothing', async () => {
  const tally = newTally();
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    await runKills(seed, KILLS_A_SEED, directoryPlace, tally);
  }
  console.log(JSON.stringify(tally));
  expect(tally.kills).toBeGreaterThanOrEqual(SEEDS * KILLS_A_SEED);
}, 7_200_000);

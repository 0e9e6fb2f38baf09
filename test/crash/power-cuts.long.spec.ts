import { expect, test } from 'vitest';
import { newCutTally, runPowerCuts } from './model-run.ts';

const SEEDS = 100;

test('power cuts at every moment of a hundred lives take nothing that was promised', async () => {
  const tally = newCutTally();
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    await runPowerCuts(seed, { operations: 10, atRandom: 4, goOnShare: 0.05, lookShare: 0.3 }, tally);
  }
  console.log(JSON.stringify(tally));
  expect(tally.states).toBeGreaterThan(10_000);
}, 7_200_000);

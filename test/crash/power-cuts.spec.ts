import { describe, expect, test } from 'vitest';
import { BROKEN } from './broken-stores.ts';
import { newCutTally, runPowerCuts } from './model-run.ts';

const OPTIONS = { operations: 3, atRandom: 2, goOnShare: 0.03, lookShare: 1 };

test('whatever a power cut takes that was not made safe, every promised restore point is whole', async () => {
  const tally = newCutTally();
  for (const seed of [6, 7]) {
    await runPowerCuts(seed, { ...OPTIONS, operations: 6, lookShare: 0.15 }, tally);
  }
  expect(tally.states).toBeGreaterThan(100);
  expect(tally.goneOn).toBeGreaterThan(0);
});

describe('a store that breaks its promise is found out:', () => {
  /** Other errors are not what is looked for. */
  const LOSS = /is there by half|is missing from|is not listed|is not in this vault|is listed, and is/;
  const FIRST_SEED = 6;
  const LAST_SEED = 20;
  test.for(Object.entries(BROKEN))('%s', async ([, broken]) => {
    const search = async (): Promise<void> => {
      for (let seed = FIRST_SEED; seed <= LAST_SEED; seed += 1) {
        await runPowerCuts(seed, { ...OPTIONS, goOnShare: 0, ...broken }, newCutTally());
      }
    };
    await expect(search()).rejects.toThrow(LOSS);
  });
});

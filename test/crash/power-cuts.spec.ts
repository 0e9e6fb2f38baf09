import { describe, expect, test } from 'vitest';
import { BROKEN } from './broken-stores.ts';
import { newCutTally, runPowerCuts } from './model-run.ts';

const OPTIONS = { operations: 2, atRandom: 1, goOnShare: 0, lookShare: 1 };

test('whatever a power cut takes that was not made safe, every promised restore point is whole', async () => {
  const tally = newCutTally();
  await runPowerCuts(7, { operations: 9, atRandom: 2, goOnShare: 0.1, lookShare: 0.15 }, tally);
  expect(tally.states).toBeGreaterThan(50);
  expect(tally.goneOn).toBeGreaterThan(0);
});

describe('a store that breaks its promise is found out:', () => {
  /** Other errors are not what is looked for. */
  const LOSS = /is there by half|is missing from|is not listed|is not in this vault|is listed, and is/;
  const FIRST_SEED = 16;
  const LAST_SEED = 60;
  test.for(Object.entries(BROKEN))('%s', async ([, broken]) => {
    const search = async (): Promise<void> => {
      for (let seed = FIRST_SEED; seed <= LAST_SEED; seed += 1) {
        await runPowerCuts(seed, { ...OPTIONS, ...broken }, newCutTally());
      }
    };
    await expect(search()).rejects.toThrow(LOSS);
  });
});

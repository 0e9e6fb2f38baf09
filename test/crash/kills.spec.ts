import { expect, test } from 'vitest';
import { directoryPlace, newTally, runKills } from './run-kills.ts';

test('a process that is killed at any change or moment harms nothing, and the next one goes on', async () => {
  const tally = newTally();
  await runKills(1, 6, directoryPlace, tally);
  expect(tally.kills).toBeGreaterThanOrEqual(6);
  expect(tally.resumed).toBeGreaterThan(0);
});

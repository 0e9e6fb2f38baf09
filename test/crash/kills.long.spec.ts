import { describe, expect, inject, test } from 'vitest';
import { startS3Server } from '../support/s3-server.ts';
import { directoryPlace, newTally, runKills, s3Place } from './run-kills.ts';

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

const found = inject('s3Server');
const S3_SEEDS = 10;

describe.skipIf('reason' in found)('with a bucket instead of a directory', () => {
  test('hundreds of killed processes harm nothing', async () => {
    const server = await startS3Server('program' in found ? found.program : '');
    const tally = newTally();
    try {
      const bucket = await server.makeBucket();
      for (let seed = 1; seed <= S3_SEEDS; seed += 1) {
        await runKills(seed, KILLS_A_SEED, s3Place(server, bucket), tally);
      }
    } finally {
      await server.stop();
    }
    console.log(JSON.stringify(tally));
    expect(tally.kills).toBeGreaterThanOrEqual(S3_SEEDS * KILLS_A_SEED);
  }, 7_200_000);
});

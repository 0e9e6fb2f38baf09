import { parseArgs } from 'node:util';
import { cacheFolder } from '../../src/platform/embedded/cache-folder.ts';
import { obtainVersitygw } from '../support/obtain-versitygw.ts';
import { startS3Server, type S3Server } from '../support/s3-server.ts';
import { newCutTally, runPowerCuts } from './model-run.ts';
import { newExt4Tally, runExt4Cuts } from './run-ext4-cuts.ts';
import { directoryPlace, newTally, runKills, s3Place, type MakePlace } from './run-kills.ts';

/**
 * Kills processes and cuts the power of a model disk, seed after seed, for as long as it is told to:
 * `node test/crash/main.ts --minutes 60 --seed 1 [--only kills|cuts|s3|ext4]`. Ends with 1 where something
 * was found. `s3` and `ext4` run when they are asked for; `ext4` cuts the power of a real file system, and is for root.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const KILLS_A_SEED = 20;
const CUTS = { operations: 10, atRandom: 3, goOnShare: 0.03, lookShare: 0.15 };

const ASKED_FOR = ['s3', 'ext4'];

const tally = { s3: newTally(), kills: newTally(), cuts: newCutTally(), ext4: newExt4Tally() };
const kinds: Readonly<Record<string, (seed: number) => Promise<void>>> = {
  kills: (seed) => runKills(seed, KILLS_A_SEED, directoryPlace, tally.kills),
  cuts: (seed) => runPowerCuts(seed, CUTS, tally.cuts),
  s3: (seed) => runKills(seed, KILLS_A_SEED, s3(), tally.s3),
  ext4: (seed) => runExt4Cuts(seed, 10, tally.ext4),
};
const server = values.only === 's3' ? await startServer() : null;
const bucket = (await server?.makeBucket()) ?? '';

async function startServer(): Promise<S3Server> {
  const log = (line: string): void => console.log(line);
  const found = await obtainVersitygw({ cache: cacheFolder(process.env), path: process.env['PATH'] ?? '', log });
  if ('reason' in found) {
    throw new Error(found.reason);
  }
  return startS3Server(found.program);
}

function s3(): MakePlace {
  if (server === null) {
    throw new Error('No S3 server was started.');
  }
  return s3Place(server, bucket);
}

const first = Number(values.seed);
const until = performance.now() + Number(values.minutes) * 60_000;
const chosen = Object.entries(kinds).filter(([kind]) =>
  values.only === undefined ? !ASKED_FOR.includes(kind) : values.only === kind,
);
let findings = 0;

async function runSeed(seed: number): Promise<void> {
  for (const [kind, run] of chosen) {
    try {
      await run(seed);
    } catch (error) {
      findings += 1;
      console.error(kind, error);
    }
  }
}

for (let seed = first; performance.now() < until; seed += 1) {
  await runSeed(seed);
  console.log(`${new Date().toISOString()} seeds ${first} to ${seed}, findings ${findings}: ${JSON.stringify(tally)}`);
}
await server?.stop();
process.exitCode = findings === 0 ? 0 : 1;

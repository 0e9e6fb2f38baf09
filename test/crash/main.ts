import { parseArgs } from 'node:util';
import { newCutTally, runPowerCuts } from './model-run.ts';
import { newExt4Tally, runExt4Cuts } from './run-ext4-cuts.ts';
import { directoryPlace, newTally, runKills } from './run-kills.ts';

/**
 * Kills processes and cuts the power of a model disk, seed after seed, for as long as it is told to:
 * `node test/crash/main.ts --minutes 60 --seed 1 [--only kills|cuts|ext4]`. Ends with 1 where something was
 * found. `ext4` cuts the power of a real file system, and is for root; it runs when it is asked for.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const KILLS_A_SEED = 20;
const CUTS = { operations: 4, atRandom: 4, goOnShare: 0.05, maxStates: 1000 };

const tally = { kills: newTally(), cuts: newCutTally(), ext4: newExt4Tally() };
const kinds: Readonly<Record<string, (seed: number) => Promise<void>>> = {
  kills: (seed) => runKills(seed, KILLS_A_SEED, directoryPlace, tally.kills),
  cuts: (seed) => runPowerCuts(seed, CUTS, tally.cuts),
  ext4: (seed) => runExt4Cuts(seed, 10, tally.ext4),
};
const first = Number(values.seed);
const until = performance.now() + Number(values.minutes) * 60_000;
const chosen = Object.entries(kinds).filter(([kind]) =>
  values.only === undefined ? kind !== 'ext4' : values.only === kind,
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
process.exitCode = findings === 0 ? 0 : 1;

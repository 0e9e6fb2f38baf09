import { parseArgs } from 'node:util';
import { directoryPlace, newTally, runKills } from './run-kills.ts';

const KILLS_A_SEED = 40;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string', default: '1' } },
});
const tally = newTally();
const first = Number(values.seed);
const until = performance.now() + Number(values.minutes) * 60_000;
let seed = first;
let findings = 0;
for (; performance.now() < until; seed += 1) {
  try {
    await runKills(seed, KILLS_A_SEED, directoryPlace, tally);
  } catch (error) {
    findings += 1;
    console.error(error);
  }
  console.log(`${new Date().toISOString()} seeds ${first} to ${seed}, findings ${findings}: ${JSON.stringify(tally)}`);
}
process.exitCode = findings === 0 ? 0 : 1;

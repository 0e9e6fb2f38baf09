import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { KINDS, LINES } from './endurance/kinds.ts';
import { positiveNumber } from './endurance/positive-number.ts';
import { Line, newProgress } from './endurance/search.ts';

/**
 * Looks for faults of the vault engine, seed after seed, for as long as it is told to, with two processes:
 * `node test/crash/main.ts --minutes 60 --seed 1 [--only kills,s3,ext4,cuts,model,schedules]`. Prints a line for each
 * minute of a kind and a summary at the end, and ends with 1 where something was found or a kind did not run.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: Object.keys(KINDS).join(',') },
  },
});
const minutes = positiveNumber('minutes', values.minutes);
const seed = positiveNumber('seed', values.seed);
const chosen = values.only.split(',');
const unknown = chosen.filter((name) => KINDS[name] === undefined);
if (unknown.length > 0) {
  throw new RangeError(`There is no kind "${unknown.join(', ')}", only ${Object.keys(KINDS).join(', ')}.`);
}

/** Every kill starts a process: with this they don't compile the same sources each time. */
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url));

const tell = (line: string): void => console.log(`${new Date().toISOString()} ${line}`);
const kinds = LINES.map((line) =>
  Object.keys(line)
    .filter((name) => chosen.includes(name))
    .map((name) => newProgress(name, seed)),
);
const lines = kinds.map((each) => new Line(each, tell));
const began = performance.now();
let until = began + minutes * 60_000;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    until = 0;
    lines.forEach((line) => line.stop());
  });
}
await Promise.all(lines.map((line) => line.run(() => until)));

console.log(`\nAfter ${((performance.now() - began) / 60_000).toFixed(1)} minutes:`);
for (const { name, first, next, ms, tally, findings, reason } of kinds.flat()) {
  const done = next === first ? 'nothing' : `seeds ${first} to ${next - 1}, ${(ms / 60_000).toFixed(1)} minutes`;
  console.log(
    `${name}: ${done}, ${findings} findings, ${JSON.stringify(tally)}${reason === null ? '' : ` (${reason})`}`,
  );
}
const findings = kinds.flat().reduce((sum, kind) => sum + kind.findings, 0);
const idle = kinds.flat().filter(({ first, next }) => next === first);
console.log(`${findings} findings${idle.length === 0 ? '' : `; not run: ${idle.map(({ name }) => name).join(', ')}`}`);
process.exitCode = findings === 0 && idle.length === 0 ? 0 : 1;

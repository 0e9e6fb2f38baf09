import { parseArgs } from 'node:util';
import type { Tally } from './kind.ts';
import { KINDS } from './kinds.ts';
import { positiveNumber } from './positive-number.ts';

/**
 * One kind of search, for whoever repeats what was found, and for `../main.ts`:
 * `node test/crash/endurance/run-kind.ts kills --seed 17 [--seeds 1] [--seconds 60]`.
 * Its last line is a `Slice`; it ends with 1 where something was found.
 */
export type Slice =
  | { readonly seeds: number; readonly findings: readonly number[]; readonly tally: Tally }
  | { readonly reason: string };

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '1' },
      seconds: { type: 'string' },
    },
  });
  const [name = ''] = positionals;
  const make = KINDS[name];
  if (make === undefined) {
    throw new RangeError(`There is no kind "${name}", only ${Object.keys(KINDS).join(', ')}.`);
  }
  const [seed, seeds] = [positiveNumber('seed', values.seed), positiveNumber('seeds', values.seeds)];
  const seconds = values.seconds === undefined ? Infinity : positiveNumber('seconds', values.seconds);
  const slice = await run(make, seed, seeds, seconds * 1000);
  console.log(JSON.stringify(slice));
  process.exitCode = 'findings' in slice && slice.findings.length > 0 ? 1 : 0;
}

async function run(make: (typeof KINDS)[string], first: number, seeds: number, ms: number): Promise<Slice> {
  let until = performance.now() + ms;
  process.on('SIGTERM', () => {
    until = 0;
  });
  const kind = await make();
  if ('reason' in kind) {
    return kind;
  }
  const findings: number[] = [];
  let seed = first;
  try {
    while (seed < first + seeds && performance.now() < until) {
      try {
        await kind.run(seed);
      } catch (error) {
        findings.push(seed);
        console.error(error);
      }
      seed += 1;
    }
  } finally {
    await kind.end?.();
  }
  return { seeds: seed - first, findings, tally: kind.tally() };
}

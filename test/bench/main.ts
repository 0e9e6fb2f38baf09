import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { BenchRow } from './bench-row.ts';
import { bootBench } from './boot-bench.ts';
import { engineBench } from './engine-bench.ts';
import { pathBench } from './path-bench.ts';

const HELP = `npm run bench -- [--report FILE]

Measures the engine from a file, the whole path from a simulated pool over NBD, and the service's start. Every figure
stands beside what the machine can do, measured in the same run. --report writes them as JSON:
[{ name, unit, ours, against, theirs, ratio, runs }]
`;

const { values } = parseArgs({ options: { report: { type: 'string' }, help: { type: 'boolean' } } });
if (values.help === true) {
  process.stdout.write(HELP);
} else {
  const rows: BenchRow[] = [];
  for (const bench of [engineBench, pathBench, bootBench]) {
    process.stderr.write(`${bench.name} …\n`);
    rows.push(...(await bench()));
  }
  console.table(
    rows.map(({ name, unit, ours, against, theirs, ratio }) => ({
      name,
      unit,
      ours: Number(ours.toFixed(2)),
      against,
      theirs: Number(theirs.toFixed(2)),
      ratio: Number(ratio.toFixed(3)),
    })),
  );
  if (values.report !== undefined) {
    await writeFile(values.report, `${JSON.stringify(rows, null, 2)}\n`);
  }
}

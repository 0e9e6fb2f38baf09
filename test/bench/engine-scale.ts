import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import {
  askIndex,
  backUpBeside,
  backUpMerging,
  buildIndex,
  fillIndex,
  LAID_SHARE,
  layIndex,
} from './scale/index-scale.ts';
import { scaleDisk, scaleRuns } from './scale/disk-scale.ts';

const HELP = `npm run bench:scale -- [--chunks 1e6,1e7] [--disks 4,64,1024,10240] [--folder FOLDER]

Memory and speed of the engine's metadata, generated where data would be too large: an index of so many chunks, and
manifests of disks of so many GiB. Each part runs in a process of its own, so that its peak memory is its own. An index of
up to 2e6 chunks is published and merged as writers do it; a larger one is laid out as merges would leave it. 1e8 chunks
take about 5 GB in FOLDER, and a quarter of an hour.
`;

/** More are laid out as merges would leave them. */
const MOST_PUBLISHED = 2e6;

const STEPS = {
  build: buildIndex,
  lay: layIndex,
  ask: askIndex,
  backup: backUpBeside,
  fill: fillIndex,
  merge: backUpMerging,
  disk: scaleDisk,
  runs: scaleRuns,
} as const;

async function runStep(step: keyof typeof STEPS, folder: string, size: number): Promise<void> {
  const run = promisify(execFile);
  const self = [import.meta.filename, '--step', step, '--folder', folder, '--size', String(size)];
  const { stdout } = await run(process.execPath, self, { maxBuffer: 1e8 });
  const figures = JSON.parse(stdout) as Record<string, number>;
  for (const [name, value] of Object.entries(figures)) {
    const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : 3;
    process.stdout.write(`${name.padEnd(64)} ${value.toFixed(digits).padStart(14)}\n`);
  }
}

async function inFolder(root: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(root, 'holdfast-scale-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const { values } = parseArgs({
  options: {
    chunks: { type: 'string', default: '1e6' },
    disks: { type: 'string', default: '4,64,1024,10240' },
    folder: { type: 'string', default: tmpdir() },
    step: { type: 'string' },
    size: { type: 'string' },
    help: { type: 'boolean' },
  },
});

function sizesOf(list: string): number[] {
  return list
    .split(',')
    .filter((part) => part !== '')
    .map(Number);
}

if (values.help === true) {
  process.stdout.write(HELP);
} else if (values.step === undefined) {
  for (const chunks of sizesOf(values.chunks)) {
    process.stdout.write(`\nAn index of ${chunks.toExponential(0)} chunks\n`);
    await inFolder(values.folder, async (folder) => {
      await runStep(chunks <= MOST_PUBLISHED ? 'build' : 'lay', folder, chunks);
      await runStep('ask', folder, chunks);
      await runStep('backup', folder, chunks);
    });
    if (chunks > MOST_PUBLISHED) {
      await inFolder(values.folder, async (folder) => {
        // A round number: digests are spread over those evenly.
        const laid = Number((chunks * LAID_SHARE).toPrecision(1));
        await runStep('lay', folder, laid);
        await runStep('fill', folder, laid);
        await runStep('merge', folder, laid);
      });
    }
  }
  for (const gib of sizesOf(values.disks)) {
    process.stdout.write('\n');
    await inFolder(values.folder, (folder) => runStep('disk', folder, gib));
    await inFolder(values.folder, (folder) => runStep('runs', folder, gib));
  }
} else {
  const step = STEPS[values.step as keyof typeof STEPS];
  process.stdout.write(JSON.stringify(await step(values.folder, Number(values.size))));
}

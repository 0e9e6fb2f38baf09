import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDataFolder } from '../../src/platform/embedded/data-folder.ts';
import { startProgram } from '../support/program.ts';
import { toBenchRow, type BenchRow } from './bench-row.ts';

const STANDALONE = 'dist/src/main/standalone.js';

/** How long the service takes from its command to its ready file, first start and second, and what it holds then. */
export async function bootBench(runs = 3): Promise<readonly BenchRow[]> {
  const first: number[] = [];
  const second: number[] = [];
  const memory: number[] = [];
  for (let round = 0; round < runs; round += 1) {
    const folder = await temporaryDataFolder();
    try {
      first.push((await boot(folder)).seconds);
      const again = await boot(folder);
      second.push(again.seconds);
      memory.push(again.residentMegabytes);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return [
    toBenchRow({ name: 'service: second start', unit: 's', runs: second }, 'first start', first),
    toBenchRow({ name: 'service: resident memory when idle', unit: 'MB', runs: memory }, 'bound', [450]),
  ];
}

async function boot(folder: string): Promise<{ seconds: number; residentMegabytes: number }> {
  const start = performance.now();
  const service = await startProgram({ script: STANDALONE, env: { HOLDFAST_DATA: join(folder, 'data') } });
  const seconds = (performance.now() - start) / 1000;
  const status = await readFile(`/proc/${service.pid}/status`, 'utf8');
  const residentMegabytes = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1000;
  await service.stop();
  return { seconds, residentMegabytes };
}

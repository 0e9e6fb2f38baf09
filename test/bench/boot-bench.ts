import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { temporaryDataFolder } from '../../src/platform/embedded/data-folder.ts';
import { toBenchRow, type BenchRow } from './bench-row.ts';

const STANDALONE = fileURLToPath(new URL('../../dist/src/main/standalone.js', import.meta.url));

/** How long the service takes from its command to its ready file, first start and second, and what it holds then. */
export async function bootBench(runs = 3): Promise<readonly BenchRow[]> {
  const first: number[] = [];
  const second: number[] = [];
  const memory: number[] = [];
  for (let round = 0; round < runs; round += 1) {
    const folder = await temporaryDataFolder();
    try {
      first.push((await boot(folder, 'first')).seconds);
      const again = await boot(folder, 'second');
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

async function boot(folder: string, name: string): Promise<{ seconds: number; residentMegabytes: number }> {
  const ready = join(folder, `${name}.json`);
  const start = performance.now();
  const child = spawn(process.execPath, [STANDALONE, '--ready-file', ready], {
    env: { ...process.env, HOLDFAST_DATA: join(folder, 'data') },
    stdio: 'ignore',
  });
  await readyOrExit(child, ready);
  const seconds = (performance.now() - start) / 1000;
  const status = await readFile(`/proc/${child.pid ?? 0}/status`, 'utf8');
  const residentMegabytes = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1000;
  child.kill('SIGTERM');
  await once(child, 'exit');
  return { seconds, residentMegabytes };
}

async function readyOrExit(child: ChildProcess, file: string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) {
      throw new Error(`the service ended with exit code ${child.exitCode} before it was up`);
    }
    try {
      await readFile(file);
      return;
    } catch {
      await delay(20); // not written yet
    }
  }
}

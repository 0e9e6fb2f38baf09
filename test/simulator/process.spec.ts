import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allGone, childrenOf } from '../support/processes.ts';
import { ROOT, runScript } from '../support/program.ts';
import type { Ready } from '../../src/xen/spec-simulated.ts';

const SCRIPT = join(ROOT, 'simulator/main.ts');

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-simulator-process-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function appears(path: string): Promise<void> {
  while (!existsSync(path)) {
    await delay(20);
  }
}

/** Starts a simulator below a shell that is killed once it is up; the simulator's process id. */
async function killParent(...args: readonly string[]): Promise<number> {
  const readyFile = join(folder, 'ready.json');
  const command = `"${process.execPath}" "${SCRIPT}" --ready-file "${readyFile}" ${args.join(' ')} & wait`;
  const shell = spawn('sh', ['-c', command], {
    stdio: ['pipe', 'ignore', 'inherit'],
    env: { ...process.env, TMPDIR: folder },
  });
  await appears(readyFile);
  const [simulator = 0] = await childrenOf(shell.pid ?? 0);
  shell.kill('SIGKILL');
  await once(shell, 'exit');
  return simulator;
}

describe('the simulator as a process', () => {
  it('goes with its parent, also when that is killed, and takes its disks along', async () => {
    const pid = await killParent('--parent-pid $$');
    expect(await allGone([pid])).toBe(true);
    expect(await readdir(folder)).toStrictEqual(['ready.json']);
  });

  it('goes when its standard input closes', async () => {
    const readyFile = join(folder, 'ready.json');
    const child = spawn(process.execPath, [SCRIPT, '--ready-file', readyFile, '--exit-with-stdin'], {
      stdio: ['pipe', 'ignore', 'inherit'],
      env: { ...process.env, TMPDIR: folder },
    });
    await appears(readyFile);
    child.stdin.end();
    expect(await once(child, 'exit')).toStrictEqual([0, null]);
    expect(await readdir(folder)).toStrictEqual(['ready.json']);
  });

  it('keeps its certificates in a data folder, and no disks', async () => {
    const data = join(folder, 'data');
    const certificates: string[] = [];
    for (const run of ['1', '2']) {
      const readyFile = join(folder, `${run}.json`);
      const child = spawn(process.execPath, [SCRIPT, '--data', data, '--ready-file', readyFile], { stdio: 'ignore' });
      await appears(readyFile);
      const ready = JSON.parse(await readFile(readyFile, 'utf8')) as Ready;
      certificates.push(ready.pools[0]?.certificate ?? '');
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toStrictEqual([0, null]);
    }
    expect(certificates[0]).toBe(certificates[1]);
    expect(await readdir(data)).toStrictEqual(['certificates']);
  });

  it.each([
    ['--help', 0, '--ready-file FILE'],
    ['--pool=alpha=10.0.0.1', 1, '--pool must be NAME=127.x.x.x'],
    ['--port=x', 1, '--port must be a whole number'],
    ['--nonsense', 1, '--nonsense'],
  ])('says what is what: %s', async (option, code, text) => {
    const ended = await runScript({ script: 'simulator/main.ts', args: [option] });
    expect(ended.code).toBe(code);
    expect(ended.output).toContain(text);
  });
});

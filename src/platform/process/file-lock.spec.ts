import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { siblingModule } from '../../kernel/module-url.ts';
import { tryLock, withLock } from './file-lock.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-lock-'));
  path = join(folder, 'lock');
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

it('is held by one at a time', () => {
  const lock = tryLock(path);
  expect(tryLock(path)).toBeNull();
  lock?.release();
  expect(tryLock(path)).not.toBeNull();
});

it('is free again when its holder was killed', async () => {
  const script = `import { tryLock } from ${JSON.stringify(siblingModule(import.meta.url, './file-lock').href)};
    globalThis.lock = tryLock(${JSON.stringify(path)});
    console.log(globalThis.lock !== null);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  expect(String(await once(child.stdout, 'data'))).toBe('true\n');
  expect(tryLock(path)).toBeNull();
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(tryLock(path)).not.toBeNull();
});

it('lets the second one wait for the first, who also gives it back after a failure', async () => {
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = withLock(path, async () => {
    await gate.promise;
    order.push('first');
    throw new Error('no luck');
  });
  const second = withLock(path, async () => order.push('second'), { onWait: () => gate.resolve() });
  await expect(first).rejects.toThrow('no luck');
  await second;
  expect(order).toEqual(['first', 'second']);
});

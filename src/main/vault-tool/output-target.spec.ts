import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { RestoreCommand } from './arguments.ts';
import { openOutput } from './output-target.ts';

test('an output that fails at its very end is told as one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-output-'));
  onTestFinished(async () => await rm(folder, { recursive: true, force: true }));
  const to = join(folder, 'disk.raw');
  const place = { vault: '', keys: '', repository: undefined, endpoint: undefined, region: undefined };
  const what = {
    point: '',
    disk: undefined,
    to,
    format: 'raw',
    force: true,
    salvage: false,
    resume: undefined,
  } as const;
  const command: RestoreCommand = { command: 'restore', ...place, ...what };
  const output = await openOutput(command, 4096, null);
  await mkdir(to);
  const message = `Could not write ${to}: EISDIR.`;
  await expect(output.complete()).rejects.toMatchObject({ code: 'BAD_INPUT', message });
  await output.abandon(false);
  await expect(output.sync()).rejects.toMatchObject({ code: 'BAD_INPUT' });
});

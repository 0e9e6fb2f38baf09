import { expect, it } from 'vitest';
import { runScript, startProgram, startScript } from '../support/program.ts';

const SCRIPT = 'test/support/fixture-role.ts';

async function end(...args: string[]): Promise<{ code: number | null; output: string }> {
  const { code, output } = await runScript({ script: SCRIPT, args });
  return { code, output };
}

it('says when and where it is up, and drains on SIGTERM', async () => {
  const role = await startProgram<{ pid: number; port: number }>({ script: SCRIPT, args: ['behaves'] });
  expect(role.ready).toEqual({ pid: role.pid, port: 4711 });
  expect(await role.stop()).toEqual({ code: 0, signal: null });
  expect(role.output()).toBe('draining\ndrained\n');
});

it('drains when its input ends', async () => {
  const role = await startProgram({ script: SCRIPT, args: ['behaves'] });
  role.closeInput();
  expect(await role.ended).toEqual({ code: 0, signal: null });
  expect(role.output()).toBe('draining\ndrained\n');
});

it('does not wait for ever for a drain', async () => {
  const role = await startProgram({ script: SCRIPT, args: ['hangs'] });
  expect(await role.stop()).toEqual({ code: 1, signal: null });
  expect(role.output()).toContain('did not end within 0.3 s');
});

it('ends at once on a signal during start', async () => {
  const { child, ended, output } = startScript({ script: SCRIPT, args: ['starts-slowly'] });
  await expect.poll(output).toContain('starting');
  child.kill('SIGTERM');
  expect(await ended).toEqual({ code: 143, signal: null });
});

it('tells an expected refusal in a sentence and a hint, and a bug with where it happened', async () => {
  const refused = await end('refuses');
  expect(refused.code).toBe(1);
  expect(refused.output).toBe(
    'holdfast fixture: Nobody listens there.\n  Check that the Temporal server runs and TEMPORAL_ADDRESS is right. [TEMPORAL_UNAVAILABLE]\n',
  );
  const bug = await end('has-a-bug');
  expect(bug.code).toBe(70);
  expect(bug.output).toMatch(/undefined is not a backup\n\s+at .*fixture-role/);
});

it('does not live on after a rejection that nobody handled, nor after a failure of what it stands on', async () => {
  const rejected = await end('rejects-later');
  expect(rejected.code).toBe(70);
  expect(rejected.output).toContain('nobody waits for me');
  const failed = await end('fails-later');
  expect(failed.code).toBe(1);
  expect(failed.output).toContain('holdfast fixture: The ground is gone.\n');
  expect(failed.output).toContain('draining\ndrained\n');
});

it('ends by itself when it is a task, and refuses arguments that it doesn’t know', async () => {
  expect(await end('is-a-task')).toEqual({ code: 0, output: '' });
  const { code, output } = await end('behaves', '--reddy-file', 'x');
  expect(code).toBe(2);
  expect(output).toContain("'--reddy-file'");
  expect((await end('behaves', '--help')).output).toContain('--ready-file FILE');
});

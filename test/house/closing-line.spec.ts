import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROOT, runScript } from '../support/program.ts';

let folder: string;

beforeEach(async () => {
  // Inside the project, so that the run finds vitest; under node_modules, so that nothing else finds the run.
  folder = await mkdtemp(join(ROOT, 'node_modules', '.closing-line-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Closed {
  readonly line: string;
  readonly failed: boolean;
}

async function closingLineOf(files: Readonly<Record<string, string>>, command?: string): Promise<Closed> {
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text);
  }
  const reporter = join(ROOT, 'test/support/closing-line-reporter.ts');
  await writeFile(
    join(folder, 'vitest.config.mjs'),
    `export default { test: { reporters: ['default', ${JSON.stringify(reporter)}], include: ['*.check.mjs'], exclude: [],
      ${'setup.mjs' in files ? "globalSetup: ['setup.mjs']" : ''} } };`,
  );
  const args = ['run', '--root', folder, '--config', join(folder, 'vitest.config.mjs')];
  const { code, stdout } = await runScript(
    command === undefined
      ? { script: 'node_modules/vitest/vitest.mjs', args }
      : { script: 'test/support/with-closing-line.ts', args: [command, ...args] },
  );
  return { line: stdout.trimEnd().split('\n').at(-1) ?? '', failed: code !== 0 };
}

const TWO_PASS = `import { it } from 'vitest'; it('one', () => {}); it('two', () => {});`;

it('counts what passed, failed and was skipped', async () => {
  expect(await closingLineOf({ 'a.check.mjs': TWO_PASS })).toEqual({ line: '2 passed, 0 failed', failed: false });
  const mixed = `import { it } from 'vitest'; it('bad', () => { throw new Error('no') }); it.skip('later', () => {});`;
  expect(await closingLineOf({ 'b.check.mjs': mixed })).toEqual({
    line: '2 passed, 1 failed, 1 skipped',
    failed: true,
  });
});

it('counts a file that can’t be loaded, and an error that no test caught, as failed', async () => {
  expect(await closingLineOf({ 'a.check.mjs': TWO_PASS, 'b.check.mjs': 'throw new Error("no")' })).toEqual({
    line: '2 passed, 1 failed',
    failed: true,
  });
  const stray = `import { it } from 'vitest'; it('ends', () => { void Promise.reject(new Error('stray')) });`;
  expect(await closingLineOf({ 'b.check.mjs': stray })).toEqual({ line: '3 passed, 1 failed', failed: true });
});

it('never calls a run without its servers, or without any test, a success', async () => {
  const setup = 'export default () => { throw new Error("no server") }';
  expect(await closingLineOf({ 'a.check.mjs': TWO_PASS, 'setup.mjs': setup })).toEqual({
    line: '0 passed, 1 failed',
    failed: true,
  });
  const cut = 'export default () => new Promise(() => {})';
  expect((await closingLineOf({ 'a.check.mjs': TWO_PASS, 'setup.mjs': cut })).failed).toBe(true);
  await rm(join(folder, 'a.check.mjs'));
  expect(await closingLineOf({})).toEqual({ line: '0 passed, 1 failed', failed: true });
});

describe('a command that ends in vitest', () => {
  const VITEST = `exec "${process.execPath}" node_modules/vitest/vitest.mjs`;

  it('closes with vitest’s own counts', async () => {
    const counted = { line: '2 passed, 0 failed', failed: false };
    expect(await closingLineOf({ 'a.check.mjs': TWO_PASS }, `true && ${VITEST}`)).toEqual(counted);
  });

  it('closes with a failure where vitest is killed, or never begins', async () => {
    const failure = { line: '0 passed, 1 failed', failed: true };
    const kill = `import { it } from 'vitest'; it('kills', () => { process.kill(process.ppid, 'SIGKILL'); });`;
    expect(await closingLineOf({ 'a.check.mjs': kill }, VITEST)).toEqual(failure);
    expect(await closingLineOf({ 'a.check.mjs': TWO_PASS }, `false && ${VITEST}`)).toEqual(failure);
    expect(await closingLineOf({ 'a.check.mjs': TWO_PASS }, 'true')).toEqual(failure);
  });
});

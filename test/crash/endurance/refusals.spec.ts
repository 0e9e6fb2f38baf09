import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../main.ts', import.meta.url));

test.each([
  ['minutes', '1h'],
  ['minutes', '0'],
  ['minutes', 'Infinity'],
  ['seed', 'x'],
])('a search is refused where --%s is %s', (option, text) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, `--${option}`, text], { encoding: 'utf8' });
  expect(stderr).toContain(`--${option} has to be a number above 0, not "${text}".`);
  expect([status, stdout]).toEqual([1, '']);
});

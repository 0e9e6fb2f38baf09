/**
 * Runs a shell command that ends in vitest, with further arguments, and prints `N passed, N failed` alone on the very
 * last line, whatever became of it: the build may fail, vitest may crash or be killed.
 *
 *   node test/support/with-closing-line.ts 'npm run build && exec vitest run' test/api
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoOf } from '../../src/kernel/errors.ts';
import { CLOSING_LINE_FILE, NEVER_ENDED } from './closing-line-reporter.ts';

const [command = 'false', ...args] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'holdfast-tests-'));
const file = join(folder, 'closing-line');

const child = spawn('sh', ['-c', `${command} "$@"`, 'sh', ...args], {
  stdio: 'inherit',
  env: { ...process.env, [CLOSING_LINE_FILE]: file },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => child.kill(signal));
}
const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
const line = readLine();
rmSync(folder, { recursive: true });
process.exitCode = code ?? 128 + constants.signals[signal ?? 'SIGKILL'];
if (line === NEVER_ENDED && process.exitCode === 0) {
  process.exitCode = 1;
}
writeSync(1, `${line}\n`);

function readLine(): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') {
      return NEVER_ENDED;
    }
    throw error;
  }
}

import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

/** Programs that somebody else wrote, to hold the simulator against. Where one is missing its tests are skipped. */
export function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false; // not in this folder
    }
  });
}

/** The Python that has XenAPI, or undefined. */
export function findPython(): string | undefined {
  const candidates = [process.env['HOLDFAST_TEST_PYTHON'], 'python3'].filter((each) => each !== undefined);
  return candidates.find((python) => spawnSync(python, ['-c', 'import XenAPI']).status === 0);
}

/** Its standard output; throws where it ends with another code than 0. */
export async function run(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, [...args], { timeout: 60_000 });
  return stdout;
}

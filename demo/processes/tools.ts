import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './program.ts';
import { SERVICE } from './start-all.ts';

const execute = promisify(execFile);

/** Where a program is, also in the folders of system programs that are on no user's PATH. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  for (const folder of folders.filter((one) => one !== '')) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this folder
    }
  }
  return null;
}

/** Says in one sentence what is missing and how it comes, or null. Asked before anything is started. */
export function whatIsMissing(): string | null {
  if (findProgram('mke2fs') === null) {
    return 'mke2fs is missing, which makes the file systems of this story: install the package e2fsprogs.';
  }
  return existsSync(join(ROOT, SERVICE)) ? null : `${SERVICE} is missing: npm run build makes it.`;
}

export async function run(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await execute(program, [...args], { maxBuffer: 2 ** 24 });
  return stdout;
}

/** SHA-256 of what a program writes to its standard output. */
export async function digestOf(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, [...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  const code = new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', reject);
  });
  const hash = createHash('sha256');
  for await (const part of child.stdout) {
    hash.update(part as Buffer);
  }
  if ((await code) !== 0) {
    throw new Error(`${program}: ${complaint.trim()}`);
  }
  return hash.digest('hex');
}

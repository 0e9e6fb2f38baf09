import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface ProgramSpec {
  readonly name: string;
  /** From the project's root. */
  readonly script: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  readonly readyWithinMs: number;
  /** Outlives this process; otherwise it ends with it, however that ends. */
  readonly keep: boolean;
  /** Ends the program while it starts. */
  readonly interrupt: AbortSignal;
  /** Is told each line of output until the program is up. */
  readonly onLine?: (line: string) => void;
}

export interface Program<Ready> {
  readonly pid: number;
  readonly ready: Ready;
  stop(): Promise<void>;
}

const STOP_WITHIN_MS = 45_000;

/** Starts one of the project's programs by its command and waits for its ready file. Its output goes to a log file. */
export async function startProgram<Ready>(spec: ProgramSpec): Promise<Program<Ready>> {
  const { name, script, args = [], env = {}, folder, keep, interrupt } = spec;
  const readyFile = join(folder, `${name}.ready.json`);
  const logFile = join(folder, 'logs', `${name}.log`);
  const log = await open(logFile, 'w', 0o600);
  const binding = keep ? [] : ['--exit-with-stdin'];
  const child = spawn(process.execPath, [join(ROOT, script), ...args, '--ready-file', readyFile, ...binding], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: [keep ? 'ignore' : 'pipe', log.fd, log.fd],
    detached: keep,
  });
  await log.close();
  let ended = false;
  const end = once(child, 'exit').then(() => (ended = true));
  await follow(logFile, spec, () => ended || interrupt.aborted || existsSync(readyFile));
  if (interrupt.aborted) {
    child.kill('SIGTERM');
    await end;
    throw new Error(`${name} was interrupted while it started`);
  }
  if (!existsSync(readyFile)) {
    child.kill('SIGKILL');
    const said = (await readFile(logFile, 'utf8')).trimEnd().split('\n').slice(-15).join('\n');
    throw new Error(`${name} did not come up:\n${said}`);
  }
  if (keep) {
    child.unref();
  }
  return {
    pid: child.pid ?? 0,
    ready: JSON.parse(await readFile(readyFile, 'utf8')) as Ready,
    stop: async () => {
      child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await end;
      clearTimeout(patience);
    },
  };
}

/** Passes on what the log says until it is done or took too long. */
async function follow(logFile: string, { onLine, readyWithinMs }: ProgramSpec, done: () => boolean): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  let told = 0;
  while (!done() && performance.now() < deadline) {
    await delay(50);
    const lines = (await readFile(logFile, 'utf8')).split('\n').slice(0, -1);
    lines.slice(told).forEach((line) => onLine?.(line));
    told = lines.length;
  }
}

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface ProgramOptions {
  /** The script, as a path from the project's root. */
  readonly script: string;
  readonly args?: readonly string[];
  /** Added to a bare environment; nothing of the caller's but PATH and HOME gets in. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Program<Ready> {
  readonly pid: number;
  /** What it wrote to its ready file. */
  readonly ready: Ready;
  readonly ended: Promise<Ended>;
  /** Both of its output streams so far. */
  readonly output: () => string;
  /** Ends its standard input, as happens when the process that started it is gone. */
  closeInput(): void;
  /** Ends it, SIGTERM unless said otherwise, and waits. */
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

/** Less than a test has, so that what the program said is shown. */
const READY_WITHIN_MS = 200_000;

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Both streams, as they came in: between the two, the order is not the one they were written in. */
  readonly output: () => string;
  readonly stdout: () => string;
}

/** Starts a script with the Node that runs the tests. Its standard input is a pipe that closes when the test ends. */
export function startScript({ script, args = [], env = {} }: ProgramOptions): Started {
  const path = join(ROOT, script);
  if (!existsSync(path)) {
    throw new Error(`${script} is not there${script.startsWith('dist/') ? ': npm run build makes it' : ''}.`);
  }
  const { PATH = '', HOME = '/' } = process.env;
  const child = spawn(process.execPath, [path, ...args], {
    cwd: ROOT,
    env: { PATH, HOME, ...cacheOf(process.env), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  return { child, ended, output: () => output, stdout: () => stdout };
}

function cacheOf(env: NodeJS.ProcessEnv): Record<string, string> {
  const folder = env['XDG_CACHE_HOME'];
  return folder === undefined ? {} : { XDG_CACHE_HOME: folder };
}

/** Runs a script to its end. */
export async function runScript(
  options: ProgramOptions,
): Promise<Ended & { readonly output: string; readonly stdout: string }> {
  const started = startScript(options);
  started.child.stdin?.end();
  return { ...(await started.ended), output: started.output(), stdout: started.stdout() };
}

/** Starts a script that takes `--ready-file`, and waits until it is up. */
export async function startProgram<Ready>(options: ProgramOptions): Promise<Program<Ready>> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-ready-'));
  const readyFile = join(folder, 'ready.json');
  const args = [...(options.args ?? []), '--ready-file', readyFile, '--exit-with-stdin'];
  const { child, ended, output } = startScript({ ...options, args });
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> => {
    child.kill(signal);
    return await ended;
  };
  try {
    const up = readyFileAppears(readyFile, READY_WITHIN_MS);
    const early = ended.then(({ code, signal }) => {
      throw new Error(`${options.script} ended early (${signal ?? `exit code ${code}`}):\n${output()}`);
    });
    await Promise.race([up, early]);
    const ready = JSON.parse(await readFile(readyFile, 'utf8')) as Ready;
    return { pid: child.pid ?? 0, ready, ended, output, stop, closeInput: () => child.stdin?.end() };
  } catch (error) {
    await stop('SIGKILL');
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readyFileAppears(path: string, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!existsSync(path)) {
    if (Date.now() > deadline) {
      throw new Error(`${path} did not appear within ${withinMs} ms.`);
    }
    await delay(20);
  }
}

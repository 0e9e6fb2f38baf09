import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { withPartFolder } from './part-folder.ts';
import { seconds, timedStep, type SetUpLog } from './set-up-log.ts';
import { findOnPath, run } from './temporal-program.ts';

const OLDEST_GO = [1, 25] as const;
/** Where Go's own installer puts it; often not on PATH. */
const USUAL_GO = '/usr/local/go/bin';

export type GoFound = { readonly go: string } | { readonly reason: string };

/** A Go that can build what Holdfast builds, or why there is none. */
export async function findGo(path: string): Promise<GoFound> {
  const go = await findOnPath('go', `${path}:${USUAL_GO}`);
  if (go === null) {
    return { reason: 'Go is not installed' };
  }
  const { stdout } = await run(go, ['env', 'GOVERSION'], { cwd: '/' });
  const match = /^go(\d+)\.(\d+)/.exec(stdout);
  const [major, minor] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
  if (major < OLDEST_GO[0] || (major === OLDEST_GO[0] && minor < OLDEST_GO[1])) {
    return { reason: `Go is ${stdout.trim()}, older than ${OLDEST_GO.join('.')}` };
  }
  return { go };
}

export interface GoProgram {
  /** For messages: `Temporal 1.5.1`. */
  readonly title: string;
  /** With its version, as `go install` takes it. */
  readonly goPackage: string;
  /** The file that `go install` makes of it. */
  readonly file: string;
  /** For messages: how long it takes on two cores the first time. */
  readonly takes: string;
}

/** Builds a program with `go`, into `target`, whose lock the caller holds; nothing is left of a build that failed. */
export async function buildGoProgram(go: string, program: GoProgram, target: string, log: SetUpLog): Promise<void> {
  await withPartFolder(target, async (folder) => {
    await timedStep(
      log,
      `building ${program.title} with ${go} (${program.takes}, once)`,
      async () => await goInstall(go, program, folder, log),
    );
    await rename(join(folder, program.file), target);
  });
}

const PROGRESS_EVERY_MS = 15_000;

async function goInstall(go: string, program: GoProgram, folder: string, log: SetUpLog): Promise<void> {
  // With -v Go names each package it has compiled: the only sign of progress it gives.
  const child = spawn(go, ['install', '-v', program.goPackage], {
    cwd: '/',
    // Go removes its own temporary files only where it ends by itself: here they go with the folder.
    env: { ...process.env, GOBIN: folder, GOTMPDIR: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const began = systemClock.monotonic();
  const lastLines: string[] = [];
  let lines = 0;
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines += 1;
    lastLines.push(line);
    lastLines.splice(0, lastLines.length - 5);
  });
  const progress = setInterval(() => {
    log(`  still building: ${lines} packages fetched or compiled, ${seconds(systemClock.monotonic() - began)}`);
  }, PROGRESS_EVERY_MS);
  const endWithUs = (): void => void child.kill();
  process.once('exit', endWithUs);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) {
      throw new AppError('ENGINE_SERVER_MISSING', `Building ${program.title} failed: ${lastLines.join(' | ')}`);
    }
  } finally {
    clearInterval(progress);
    process.off('exit', endWithUs);
  }
}

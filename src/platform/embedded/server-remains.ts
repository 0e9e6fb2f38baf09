import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { systemClock } from '../../kernel/clock.ts';
import { AppError, errnoOf } from '../../kernel/errors.ts';

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') {
      return '';
    }
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}

/** Whether that process is the program we think it is, and not a later one that was given the same number. */
async function runs(pid: number, program: string, folder: string): Promise<boolean> {
  const commandLine = await readOrEmpty(`/proc/${pid}/cmdline`);
  return commandLine.includes(program) && commandLine.includes(folder);
}

export interface Orphan {
  /** A file whose first line is the server's process id. */
  readonly pidFile: string;
  /** Part of the program's name. */
  readonly program: string;
  /** The data folder on its command line. */
  readonly folder: string;
  readonly signal: NodeJS.Signals;
}

const END_WITHIN_MS = 30_000;

/**
 * Ends the server that an earlier Holdfast left behind when it and its watchdog were killed together. The caller holds
 * the data folder's lock, so whatever still runs on that folder has no owner.
 */
export async function endOrphan({ pidFile, program, folder, signal }: Orphan): Promise<void> {
  const pid = Number.parseInt(await readOrEmpty(pidFile), 10);
  if (!Number.isInteger(pid) || pid <= 1 || !(await runs(pid, program, folder))) {
    await rm(pidFile, { force: true });
    return;
  }
  process.kill(pid, signal);
  const deadline = systemClock.monotonic() + END_WITHIN_MS;
  while (isAlive(pid)) {
    if (systemClock.monotonic() > deadline) {
      throw new AppError('DATA_FOLDER_IN_USE', `An earlier ${program} (process ${pid}) still runs on ${folder}.`, {
        hint: `End process ${pid} and start again.`,
      });
    }
    await systemClock.sleep(50);
  }
  await rm(pidFile, { force: true });
}

export async function writePidFile(path: string, pid: number): Promise<void> {
  await writeFile(path, `${pid}\n`);
}

/** Starts a new log, and keeps the one of the run before beside it. */
export async function keepOnePreviousLog(path: string): Promise<void> {
  try {
    await rename(path, `${path}.previous`);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') {
      throw error;
    }
  }
}

/** The end of a log, on one line, for an error message. */
export async function lastLinesOf(path: string, count = 3): Promise<string> {
  const lines = (await readOrEmpty(path)).trim().split('\n');
  return lines.slice(-count).join(' | ').slice(-600);
}

import { DatabaseSync } from 'node:sqlite';
import { systemClock, type Clock } from '../../kernel/clock.ts';

export interface FileLock {
  release(): void;
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}

/**
 * Takes the lock that stands behind `path`, or returns null when another process holds it.
 *
 * Node has no call for the kernel's file locks, SQLite does: an exclusive transaction holds one on its (empty) file.
 * It is gone with the process that held it, however that process died, so a lock can't be stale.
 */
export function tryLock(path: string): FileLock | null {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (isBusy(error)) {
      return null;
    }
    throw error;
  }
  return { release: () => database.close() };
}

export interface WaitOptions {
  /** Called once, when somebody else holds the lock. */
  readonly onWait?: () => void;
  readonly clock?: Clock;
}

/** Runs `work` while holding the lock, waiting as long as another process has it. */
export async function withLock<T>(path: string, work: () => Promise<T>, options: WaitOptions = {}): Promise<T> {
  const clock = options.clock ?? systemClock;
  let lock = tryLock(path);
  if (lock === null) {
    options.onWait?.();
  }
  while (lock === null) {
    await clock.sleep(250);
    lock = tryLock(path);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // no such process
  }
}

/** Waits until none of these processes is there any more; false when some still are after that time. */
export async function allGone(pids: readonly number[], withinMs = 120_000): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (pids.some((pid) => isAlive(pid))) {
    if (Date.now() > deadline) {
      return false;
    }
    await delay(20);
  }
  return true;
}

/** The process ids of a process's direct children. */
export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.trim().split(' ').map(Number);
}

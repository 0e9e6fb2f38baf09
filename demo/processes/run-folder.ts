import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const PREFIX = 'holdfast-demo-';
const KEPT = 'kept.json';

/**
 * A new folder for this run, named after its process. What runs that were killed left behind is removed first. Their
 * programs end by themselves, with the standard input that the dead process held; those still at it are ended.
 */
export async function makeRunFolder(): Promise<string> {
  await removeLeftovers();
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  // PostgreSQL may run as another user, who has to get through to its data.
  await chmod(folder, 0o711);
  await mkdir(join(folder, 'logs'), { mode: 0o700 });
  return folder;
}

/** The folder stays for as long as one of these processes lives. */
export async function keepRunFolder(folder: string, pids: readonly number[]): Promise<void> {
  await writeFile(join(folder, KEPT), JSON.stringify(pids));
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
}

async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    const folder = join(tmpdir(), name);
    if (pid !== undefined && !(await isInUse(folder, Number(pid)))) {
      await endPrograms(folder);
      await removeFolder(folder).catch(() => {
        // It is another user's, who will remove it with his own next run.
      });
    }
  }
}

/** Every process that names the folder on its command line. No other has a reason to: its name is unique. */
async function endPrograms(folder: string): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
    const named = await Promise.all(pids.map(async (pid) => ((await runs(pid, `${folder}/`)) ? [pid] : [])));
    const left = named.flat();
    left.forEach(end);
    if (left.length === 0) {
      return;
    }
    await delay(100);
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended meanwhile, or it is another user's.
  }
}

async function isInUse(folder: string, owner: number): Promise<boolean> {
  if (await runs(owner, 'demo')) {
    return true;
  }
  const kept = await readFile(join(folder, KEPT), 'utf8').catch(() => '[]'); // nothing was kept
  const alive = await Promise.all((JSON.parse(kept) as number[]).map(async (pid) => await runs(pid, folder)));
  return alive.includes(true);
}

/** A process with this id lives and names `what` on its command line: ids are used again. */
async function runs(pid: number, what: string): Promise<boolean> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).includes(what);
  } catch {
    return false; // no such process
  }
}

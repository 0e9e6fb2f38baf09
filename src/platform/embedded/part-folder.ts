import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Runs `work` in a folder beside `target`, from which it may move what is complete to `target`. The folder goes
 * afterwards, and so do those of runs that were killed: callers hold the target's lock.
 */
export async function withPartFolder(target: string, work: (folder: string) => Promise<void>): Promise<void> {
  const prefix = `${target}.part-`;
  const remains = (await readdir(dirname(target))).filter((name) => name.startsWith(basename(prefix)));
  for (const name of remains) {
    await rm(join(dirname(target), name), { recursive: true, force: true });
  }
  const folder = await mkdtemp(prefix);
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Refuses every write below a folder; gives back what undoes that, or null where this user can't be refused. */
export async function makeReadOnly(folder: string): Promise<(() => Promise<unknown>) | null> {
  if (process.getuid?.() !== 0) {
    await run('chmod', ['-R', 'a-w', folder]);
    return async () => await run('chmod', ['-R', 'u+w', folder]);
  }
  try {
    await run('mount', ['--bind', folder, folder]);
  } catch {
    return null; // root in a container that may not mount
  }
  await run('mount', ['-o', 'remount,bind,ro', folder]);
  return async () => await run('umount', ['--lazy', folder]);
}

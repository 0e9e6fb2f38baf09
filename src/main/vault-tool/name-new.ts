import { link, lstat, rename, unlink } from 'node:fs/promises';
import { AppError, errnoOf } from '../../kernel/errors.ts';

/** As a rename that replaces nothing: BAD_INPUT where something has that name. */
export async function nameNew(path: string, to: string): Promise<void> {
  try {
    await link(path, to);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') {
      throw isThereAlready(to);
    }
    // Not every file system has hard links: what comes between these two is replaced there.
    if (await isThere(to)) {
      throw isThereAlready(to);
    }
    await rename(path, to);
    return;
  }
  await unlink(path);
}

/** Whatever it is, a link that leads nowhere too. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') {
      return false;
    }
    throw error;
  }
}

export function isThereAlready(to: string): AppError {
  return new AppError('BAD_INPUT', `${to} is there already.`, {
    hint: 'Choose another name, or replace it: --force.',
  });
}

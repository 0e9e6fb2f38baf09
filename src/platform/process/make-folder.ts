import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError, errnoOf } from '../../kernel/errors.ts';

/**
 * Makes an absolute path's folder and what is missing above it, a level at a time from the nearest parent that is there.
 * Node's own recursive `mkdir` never returns where a parent that exists answers ENOENT, as those of /proc do. Throws
 * DATA_FOLDER_UNUSABLE, naming the parent that refused.
 */
export async function makeFolder(path: string, mode: number): Promise<void> {
  const missing: string[] = [];
  let parent = path;
  while (!(await isFolder(parent, path))) {
    missing.unshift(parent);
    parent = dirname(parent);
  }
  for (const level of missing) {
    await mkdir(level, { mode }).catch((error: unknown) => {
      if (errnoOf(error) !== 'EEXIST') {
        throw unusable(path, `${dirname(level)} takes no new folder`, error);
      }
    });
  }
}

async function isFolder(path: string, wanted: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) {
      return true;
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') {
      return false;
    }
    throw unusable(wanted, `${path} can’t be looked at`, error);
  }
  throw unusable(wanted, `${path} is no folder`);
}

function unusable(path: string, why: string, cause?: unknown): AppError {
  const errno = errnoOf(cause);
  return new AppError(
    'DATA_FOLDER_UNUSABLE',
    `The folder ${path} can’t be made: ${why}${errno === undefined ? '' : ` (${errno})`}.`,
    { hint: 'Name a folder that this user may create and write.', cause },
  );
}

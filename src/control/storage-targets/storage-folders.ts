import { access, constants, stat } from 'node:fs/promises';
import type { AppError } from '../../kernel/errors.ts';
import { errnoOf } from '../../kernel/errors.ts';
import { storagePathUnusable } from './storage-target.errors.ts';

/** How long a folder may take to be looked at, in milliseconds: a mount whose server is away answers never. */
const PATIENCE_MS = 5_000;

/**
 * Whether a storage target's folder can be used. Only the movers' machines can say: an api process that runs beside them
 * looks, one that runs elsewhere leaves it to the vault's creation.
 */
export class StorageFolders {
  constructor(private readonly movesBytesHere: boolean) {}

  /** Null where there is nothing to say against it. */
  async problemOf(path: string): Promise<AppError | null> {
    if (!this.movesBytesHere) {
      return null;
    }
    const late = Promise.withResolvers<string>();
    const timer = setTimeout(() => late.resolve(`did not answer within ${PATIENCE_MS / 1000} s`), PATIENCE_MS);
    try {
      const why = await Promise.race([complaintOf(path), late.promise]);
      return why === null ? null : storagePathUnusable(path, why);
    } finally {
      clearTimeout(timer);
    }
  }
}

const READ_ONLY = 'can’t be written by the user that Holdfast runs as';
const WHAT_IS_WRONG: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'does not exist'],
  ['ENOTDIR', 'does not exist'],
  ['EACCES', READ_ONLY],
  ['EROFS', READ_ONLY],
]);

async function complaintOf(path: string): Promise<string | null> {
  try {
    if (!(await stat(path)).isDirectory()) {
      return 'is no folder';
    }
    await access(path, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    const errno = errnoOf(error) ?? '';
    return WHAT_IS_WRONG.get(errno) ?? `can’t be looked at (${errno === '' ? String(error) : errno})`;
  }
}

import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError, errnoOf } from '../../kernel/errors.ts';

/** What it means that no keys of the vault were found where `--keys` leads to. */
export async function keysNotFound(keys: string, repositoryId: string): Promise<AppError> {
  const found = await stat(keys).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') {
      return null;
    }
    throw keysUnreadable(error, keys);
  });
  if (found === null) {
    return new AppError('KEY_MISSING', `There is no folder ${keys}.`, {
      hint: 'Give the folder of the keys to --keys.',
    });
  }
  if (!found.isDirectory()) {
    return new AppError('KEY_MISSING', `${keys} is no folder.`, {
      hint: `--keys takes the folder of the keys and no single key: perhaps ${dirname(keys)}.`,
    });
  }
  return new AppError('KEY_MISSING', `The folder ${keys} has no keys of this vault, ${repositoryId}.`, {
    hint: `What is needed is the tenant’s whole folder: <tenant>/kek and what lies beside it, with repositories/${repositoryId}.*.`,
  });
}

/** What the file system says of the folder of keys, in words; other errors as they are. */
export function keysUnreadable(error: unknown, folder: string): unknown {
  const errno = errnoOf(error);
  if (error instanceof AppError || errno === undefined) {
    return error;
  }
  return new AppError('KEY_MISSING', `The keys in ${folder} can't be read: ${errno}.`, {
    hint: 'See that the path is right, and that the user that this runs as may read the folder and all that lies in it.',
    cause: error,
  });
}

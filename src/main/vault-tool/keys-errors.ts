import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { listRepositoryKeys } from '../../engine/index.ts';
import { AppError, errnoOf } from '../../kernel/errors.ts';
import { keyPlaces } from './key-places.ts';

const MOST_NAMED = 5;

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
  const needed = `What is needed is the tenant’s whole folder: <tenant>/kek and what lies beside it, with repositories/${repositoryId}.*.`;
  const others = await repositoriesOf(keys);
  const instead =
    others.length === 0
      ? ''
      : ` It has those of ${inShort(others)}: if this is one of them, repo.0 is damaged: holdfast-vault repair.`;
  return new AppError('KEY_MISSING', `The folder ${keys} has no keys of this vault, ${repositoryId}.`, {
    hint: `${needed}${instead}`,
  });
}

function inShort(ids: readonly string[]): string {
  const more = ids.length - MOST_NAMED;
  return more > 0 ? `${ids.slice(0, MOST_NAMED).join(', ')} and ${more} more` : ids.join(', ');
}

async function repositoriesOf(keys: string): Promise<readonly string[]> {
  const found = await Promise.all(keyPlaces(keys).map(async ({ folder }) => await listRepositoryKeys(folder)));
  return [...new Set(found.flat().map((ids) => ids.repositoryId))].toSorted();
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

import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError, errnoOf } from '../../kernel/errors.ts';
import { tryLock, type FileLock } from '../process/file-lock.ts';
import { makeFolder } from '../process/make-folder.ts';
import { firstClosedFolder, postgresUser } from './postgres-user.ts';

/** Creates the data folder and takes it for this process alone. Throws DATA_FOLDER_IN_USE or DATA_FOLDER_UNUSABLE. */
export async function takeDataFolder(folder: string): Promise<FileLock> {
  await makeFolder(folder, 0o711);
  let lock: FileLock | null;
  try {
    lock = tryLock(join(folder, 'lock'));
  } catch (cause) {
    throw new AppError(
      'DATA_FOLDER_UNUSABLE',
      `The data folder ${folder} can’t be used: ${errnoOf(cause) ?? String(cause)}.`,
      { hint: 'Choose a folder for HOLDFAST_DATA that this user may create and write.', cause },
    );
  }
  if (lock === null) {
    throw new AppError('DATA_FOLDER_IN_USE', `Another Holdfast is running on ${folder}.`);
  }
  return lock;
}

/**
 * A new folder for a temporary data folder: in the first place for temporary files that PostgreSQL's user may enter.
 * The caller passes it on as `temporary`, or removes it.
 */
export async function temporaryDataFolder(places: readonly string[] = [tmpdir(), '/var/tmp', '/tmp']): Promise<string> {
  const user = await postgresUser();
  for (const place of places) {
    if ((await firstClosedFolder(place, user)) === null) {
      const folder = await mkdtemp(join(place, 'holdfast-'));
      await chmod(folder, 0o711);
      return folder;
    }
  }
  throw new AppError('DATA_FOLDER_UNUSABLE', `User ${user?.name ?? ''} may enter none of ${places.join(', ')}.`, {
    hint: 'Set TMPDIR to a folder that every user may enter.',
  });
}

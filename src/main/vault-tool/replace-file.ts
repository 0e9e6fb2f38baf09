import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { AppError, errnoOf } from '../../kernel/errors.ts';
import { syncFolderOf } from './sync-folder.ts';

/**
 * Replaces a file at once and durably. No other file is touched: the new text grows under a name that nobody else has.
 * BAD_INPUT where it can't be written.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.new`;
  try {
    await writeFile(temporary, text, { flag: 'wx', flush: true });
    await rename(temporary, path);
    await syncFolderOf(path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // the first error says more
    throw new AppError('BAD_INPUT', `${path} can't be written: ${String(errnoOf(error) ?? error)}.`, {
      hint: 'Give a file in a folder that is there, with room, and that may be written to.',
      cause: error,
    });
  }
}

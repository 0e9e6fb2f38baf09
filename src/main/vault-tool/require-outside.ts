import type { BigIntStats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { AppError, errnoOf } from '../../kernel/errors.ts';
import type { RestoreCommand } from './arguments.ts';
import { partialName } from './partial-file.ts';

/** BAD_INPUT if a restore would make or replace a file where the vault or its keys lie: they can't be had again. */
export async function requireOutside({ vault, keys, to, resume }: RestoreCommand): Promise<void> {
  const folders = { vault: vault.startsWith('s3://') ? undefined : vault, keys };
  const files = [
    ['--to', to],
    ['--to', partialName(to)],
    ['--resume', resume],
  ] as const;
  for (const [what, folder] of Object.entries(folders)) {
    for (const [option, path] of files) {
      if (folder !== undefined && path !== undefined && (await isInside(path, folder))) {
        throw new AppError('BAD_INPUT', `${path} lies in the folder of the ${what}, ${folder}.`, {
          hint: `Nothing was written. Give ${option} a place outside of it.`,
        });
      }
    }
  }
}

/** By what the folders are, and not by their names: links and mounts give one folder many. */
async function isInside(path: string, folder: string): Promise<boolean> {
  const wanted = await stat(folder, { bigint: true }).catch(ignoreUnknown);
  if (wanted === null) {
    return false;
  }
  for (const start of [path, dirname(path)]) {
    for (let at = await nearest(start), below = ''; at !== below; below = at, at = dirname(at)) {
      if (isSame(wanted, await stat(at, { bigint: true }).catch(ignoreUnknown))) {
        return true;
      }
    }
  }
  return false;
}

/** Itself, or the first folder above it that is there, without links. */
async function nearest(path: string): Promise<string> {
  for (let at = resolve(path); ; at = dirname(at)) {
    const found = await realpath(at).catch(ignoreUnknown);
    if (found !== null || at === dirname(at)) {
      return found ?? at;
    }
  }
}

function isSame(wanted: BigIntStats, found: BigIntStats | null): boolean {
  return found !== null && found.dev === wanted.dev && found.ino === wanted.ino;
}

/** What can't be looked at can't be written to either, which is told when it is tried. */
function ignoreUnknown(error: unknown): null {
  if (errnoOf(error) === undefined) {
    throw error;
  }
  return null;
}

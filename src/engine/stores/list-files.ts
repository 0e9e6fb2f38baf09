import { join, posix } from 'node:path';
import { isFolderName } from '../format/names.ts';
import type { StoredObject } from '../ports/store.ts';
import { ignoreMissing, isMissing, toStoreError } from './directory-errors.ts';
import type { FileSystem, FolderEntry } from './file-system.ts';
import { isObjectName } from './object-name.ts';
import { leadsElsewhere } from './real-folders.ts';

/** Of the deepest name that a vault or a key ring has: what lies deeper is no part of it. */
const MAX_NAME_PARTS = 3;

/** A file system has it at its root, where any folder of a vault may be mounted, for nobody but its owner to read. */
const FOUND = 'lost+found';

export interface Folders {
  readonly files: FileSystem;
  readonly root: string;
  /** Throws if the root is gone: then what is missing below says nothing. */
  readonly requireRoot: () => Promise<void>;
}

/** Regular files below `folder`, which is empty or ended by a `/`, whose names go on with `start`. */
export async function* listFiles(folders: Folders, folder: string, start: string): AsyncIterable<StoredObject> {
  const { files, root, requireRoot } = folders;
  let entries;
  try {
    entries = await files.opendir(join(root, folder));
  } catch (error) {
    if (isMissing(error)) {
      await requireRoot();
      return;
    }
    throw toStoreError(error, `list ${folder}`, root);
  }
  for await (const entry of guarded(entries, `list ${folder}`, root)) {
    const name = posix.join(folder, entry.name);
    if (entry.name.startsWith(start) && entry.name !== FOUND && isObjectName(name)) {
      yield* listEntry(folders, name, entry);
    }
  }
}

/** A folder is read piece by piece: it may fail after it was opened. */
async function* guarded<T>(entries: AsyncIterable<T>, what: string, root: string): AsyncIterable<T> {
  try {
    yield* entries;
  } catch (error) {
    throw toStoreError(error, what, root);
  }
}

async function* listEntry(folders: Folders, name: string, entry: FolderEntry): AsyncIterable<StoredObject> {
  const { root } = folders;
  if (entry.isDirectory() && name.split('/').length < MAX_NAME_PARTS) {
    yield* listFiles(folders, `${name}/`, '');
  } else if (entry.isSymbolicLink() && isFolderName(name)) {
    // It must not look like a folder that is empty.
    throw leadsElsewhere(root, name);
  } else if (entry.isFile()) {
    const found = await findFile(folders, name);
    if (found !== null) {
      yield found;
    }
  }
}

async function findFile({ files, root }: Folders, name: string): Promise<StoredObject | null> {
  try {
    const found = await files.lstat(join(root, name)).catch(ignoreMissing);
    return found?.isFile() === true ? { name, sizeBytes: found.size } : null;
  } catch (error) {
    throw toStoreError(error, `look for ${name}`, root);
  }
}

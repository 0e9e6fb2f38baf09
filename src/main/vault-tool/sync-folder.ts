import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../../kernel/errors.ts';

const UNSUPPORTED = ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'];

/** Makes the name of a file durable, where its file system can. Throws the system's own error. */
export async function syncFolderOf(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } catch (error) {
    if (!UNSUPPORTED.includes(errnoOf(error) ?? '')) {
      throw error;
    }
  } finally {
    await folder.close();
  }
}

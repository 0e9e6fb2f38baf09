import { randomBytes } from 'node:crypto';
import { link, open, readFile, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError, errnoOf } from '../../kernel/errors.ts';
import { makeFolder } from '../process/make-folder.ts';

const KEY_BYTES = 32;

/** The control plane's key: 32 bytes as hex in a file of its owner's only (0600), made at the first start. */
export async function loadOrCreateKeyFile(path: string): Promise<Buffer> {
  return (await readKey(path)) ?? (await createKey(path));
}

async function readKey(path: string): Promise<Buffer | null> {
  try {
    const key = Buffer.from((await readFile(path, 'utf8')).trim(), 'hex');
    if (key.length !== KEY_BYTES) {
      throw new AppError('CONFIG_INVALID', `${path} is not a key file: it must hold 64 hexadecimal digits.`, {
        hint: 'Bring the key file back from your backup; without it nothing that was sealed can be opened.',
      });
    }
    return key;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') {
      return null;
    }
    throw error;
  }
}

/** Writes beside and links into place, so that of two processes starting at once one wins and both use its key. */
async function createKey(path: string): Promise<Buffer> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await makeFolder(dirname(path), 0o700);
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${randomBytes(KEY_BYTES).toString('hex')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await link(draft, path).catch((error: unknown) => {
    if (errnoOf(error) !== 'EEXIST') {
      throw error;
    }
  });
  await unlink(draft);
  const key = await readKey(path);
  if (key === null) {
    throw new AppError('DATA_FOLDER_UNUSABLE', `The key file ${path} vanished while it was being made.`);
  }
  return key;
}

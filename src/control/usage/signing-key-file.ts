import { randomBytes } from 'node:crypto';
import { link, open, readFile, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../../kernel/errors.ts';
import { makeFolder } from '../../platform/process/make-folder.ts';
import { newSigningKey, UsageSigner } from './usage-signature.ts';

/** The key that signs the ledger: a PEM file of its owner's only (0600), made at the first start. */
export async function loadOrCreateSigner(path: string): Promise<UsageSigner> {
  const there = await readFile(path, 'utf8').catch(nothingIfMissing);
  if (there === null) {
    await createKey(path);
  }
  return new UsageSigner(there ?? (await readFile(path, 'utf8')));
}

/** Writes beside and links into place, so that of two processes starting at once one wins and both use its key. */
async function createKey(path: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await makeFolder(dirname(path), 0o700);
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(newSigningKey());
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
}

function nothingIfMissing(error: unknown): null {
  if (errnoOf(error) === 'ENOENT') {
    return null;
  }
  throw error;
}

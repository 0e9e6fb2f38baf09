import { AppError, isAppError } from '../../kernel/errors.ts';
import type { ObjectId } from '../format/ids.ts';
import { packName } from '../format/names.ts';
import { keyedDigest } from '../keys/digest.ts';
import type { NamedMetaPack } from '../manifest/read-meta-table.ts';
import { sealMetaPack } from '../manifest/seal-meta-pack.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { readMetaFrames } from './meta-frames.ts';

/**
 * Where what was derived lies while the damaged pack makes way for it: whoever is interrupted in between leaves it there,
 * and nobody else needs it.
 */
function spareOf({ secrets }: RepositoryContext, id: ObjectId): ObjectId {
  return keyedDigest(secrets.nameKey, Buffer.from(`spare\0${id}`, 'utf8')).toString('hex', 0, 16);
}

/** What a repair that was interrupted had derived already; null if there is none. */
export async function readSpare(
  context: RepositoryContext,
  { id, contents }: NamedMetaPack,
): Promise<readonly Buffer[] | null> {
  const spare = spareOf(context, id);
  if ((await context.store.head(packName('meta', spare))) === null) {
    return null;
  }
  return (await readMetaFrames(context, { id: spare, contents }))?.all ?? null;
}

/**
 * Puts a meta pack under the name of a damaged one. In no moment is there less in the store than before: the content is
 * durable elsewhere while the name is free. 'locked' if the store keeps the damaged one, which then is what readers get.
 */
export async function replaceMetaPack(
  context: RepositoryContext,
  pack: NamedMetaPack,
  frames: readonly Buffer[],
  retainUntil: number | undefined,
): Promise<'replaced' | 'locked'> {
  const { store, secrets } = context;
  const { id } = pack;
  const name = packName('meta', id);
  const spareName = packName('meta', spareOf(context, id));
  const put = (): Promise<unknown> =>
    store.putIfAbsent(name, [sealMetaPack(id, frames, secrets).data], { retainUntil });
  // What is no object may have the name all the same, as a link has it in a directory.
  if ((await store.head(name)) !== null || ((await put()) === 'exists' && (await store.head(name)) === null)) {
    await putSpare(context, pack, frames);
    if (!(await tryDelete(context, name))) {
      await tryDelete(context, spareName);
      return 'locked';
    }
    // Where it exists, somebody else has just made the same.
    await put();
  }
  await store.flush();
  await tryDelete(context, spareName);
  return 'replaced';
}

/** Read again before anything is taken away for it. */
async function putSpare(context: RepositoryContext, pack: NamedMetaPack, frames: readonly Buffer[]): Promise<void> {
  const { store, secrets } = context;
  const spare = spareOf(context, pack.id);
  const name = packName('meta', spare);
  if ((await readSpare(context, pack)) === null) {
    await store.delete(name);
    await store.putIfAbsent(name, [sealMetaPack(spare, frames, secrets).data]);
  }
  await store.flush();
  if ((await readSpare(context, pack)) === null) {
    throw new AppError('VAULT_CORRUPT', `${name} can’t be read again after it was put.`, { data: { object: name } });
  }
}

/** False if it has to stay, also as a folder in its place does; a spare that does is collected when it may go. */
async function tryDelete({ store }: RepositoryContext, name: string): Promise<boolean> {
  try {
    await store.delete(name);
    return true;
  } catch (error) {
    if (isAppError(error, 'VAULT_RETAINED', 'VAULT_CORRUPT')) {
      return false;
    }
    throw error;
  }
}

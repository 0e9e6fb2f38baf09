import { isAppError } from '../../kernel/errors.ts';
import { repoName } from '../format/names.ts';
import { FIRST_GENERATION } from '../keys/key-generations.ts';
import type { PutOptions, Store } from '../ports/store.ts';

/**
 * For what belongs to no restore point and is needed with each: it is locked as long as the longest of all points, which
 * is what `repo.0` is locked for. No date where nothing is locked.
 */
export async function lockLikeVault(store: Store): Promise<PutOptions> {
  return lockLike(store, repoName(FIRST_GENERATION));
}

/** As long as that object is. No date where it isn't locked, is not there, or the store can't lock. */
export async function lockLike({ retention }: Store, name: string): Promise<PutOptions> {
  try {
    const until = (await retention?.lockedUntil(name)) ?? null;
    return until === null ? {} : { retainUntil: until };
  } catch (error) {
    if (isAppError(error, 'VAULT_OBJECT_MISSING')) {
      return {};
    }
    throw error;
  }
}

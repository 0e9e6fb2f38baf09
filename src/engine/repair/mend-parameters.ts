import { isAppError } from '../../kernel/errors.ts';
import { createRepository } from '../create-repository.ts';
import { OBJECT_KIND } from '../format/header.ts';
import { uuidToObjectId } from '../format/ids.ts';
import { pointName, repoName } from '../format/names.ts';
import { openObject } from '../format/sealed-object.ts';
import { deriveParametersKey, deriveSecrets, type RepositorySecrets } from '../keys/key-schedule.ts';
import { FIRST_GENERATION } from '../keys/key-generations.ts';
import type { KeyRing, RepositoryKeys } from '../ports/key-ring.ts';
import type { Store } from '../ports/store.ts';
import { DEFAULT_PARAMETERS, parseRepositoryFile, verifyRepositoryFile } from '../repository-parameters.ts';
import type { ChunkingParameters, CreateRepositoryOptions } from '../types.ts';
import { isDamage } from '../verify/diagnose.ts';

type Ids = Pick<CreateRepositoryOptions, 'tenantId' | 'repositoryId'>;

/**
 * Writes `repo.0` again where it is lost or damaged: without it nothing else can be opened. Which of the candidates the
 * repository is, its restore points tell: they open with no other's key. Null where none of them does, or where `repo.0`
 * is whole; then nothing was changed.
 */
export async function mendParameters<T extends Ids>(
  options: Pick<CreateRepositoryOptions, 'store' | 'keyRing' | 'clock'> & { readonly parameters?: ChunkingParameters },
  candidates: readonly T[],
): Promise<T | null> {
  const { store, keyRing, parameters = DEFAULT_PARAMETERS } = options;
  for (const candidate of candidates) {
    const keys = await findKeys(keyRing, candidate);
    const id = uuidToObjectId(candidate.repositoryId, 'repository');
    if (keys === null || !(await opensPoint(store, deriveSecrets(keys, id, FIRST_GENERATION)))) {
      continue;
    }
    if (await isWhole(store, deriveParametersKey(keys, id))) {
      return null;
    }
    await store.delete(repoName(FIRST_GENERATION));
    await createRepository({ ...options, ...candidate, parameters });
    return candidate;
  }
  return null;
}

async function findKeys(keyRing: KeyRing, ids: Ids): Promise<RepositoryKeys | null> {
  try {
    return await keyRing.getRepositoryKeys({ ...ids, generation: FIRST_GENERATION });
  } catch (error) {
    if (isAppError(error, 'KEY_MISSING', 'KEY_DESTROYED')) {
      return null;
    }
    throw error;
  }
}

/** Damaged ones, and those of later generations, leave it to the others. */
async function opensPoint(store: Store, secrets: RepositorySecrets): Promise<boolean> {
  const prefix = pointName('');
  for await (const { name } of store.list(prefix)) {
    try {
      const id = uuidToObjectId(name.slice(prefix.length), 'point');
      const kinds = [OBJECT_KIND.point, OBJECT_KIND.tombstone];
      openObject(await store.get(name), name, { id, kinds }, secrets);
      return true;
    } catch (error) {
      if (!isDamage(error) && !isAppError(error, 'BAD_INPUT')) {
        throw error;
      }
    }
  }
  return false;
}

async function isWhole(store: Store, parametersKey: Uint8Array): Promise<boolean> {
  const name = repoName(FIRST_GENERATION);
  try {
    const data = await store.get(name);
    parseRepositoryFile(data, name);
    verifyRepositoryFile(data, parametersKey, name);
    return true;
  } catch (error) {
    if (isDamage(error)) {
      return false;
    }
    throw error;
  }
}

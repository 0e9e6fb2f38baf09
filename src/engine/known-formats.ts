import { isAppError } from '../kernel/errors.ts';
import { uuidToObjectId } from './format/ids.ts';
import { generationOfRepo, REPO_PREFIX } from './format/names.ts';
import { MAX_BYTES } from './format/size-limits.ts';
import { FIRST_GENERATION } from './keys/key-generations.ts';
import { deriveParametersKey } from './keys/key-schedule.ts';
import type { KeyRing, RepositoryKeyId, RepositoryKeys } from './ports/key-ring.ts';
import type { Store } from './ports/store.ts';
import { parseRepositoryFile, readRepositoryFile, SUITE_NAME, verifyRepositoryFile } from './repository-parameters.ts';

export interface DescribedRepository {
  readonly store: Store;
  readonly keyRing: KeyRing;
  readonly tenantId: string;
  readonly repositoryId: string;
}

/**
 * A later program may have begun a generation of a format that this one would only misread. What the ring has no key of,
 * or what isn't signed with it, was put there by somebody else, who must not keep anybody from what is stored.
 */
export async function requireKnownFormats(repository: DescribedRepository): Promise<void> {
  const { store } = repository;
  for await (const { name } of store.list(REPO_PREFIX)) {
    const generation = generationOfRepo(name) ?? FIRST_GENERATION;
    const keys = generation > FIRST_GENERATION ? await findKeys(repository, generation) : null;
    if (keys !== null) {
      const data = await store.get(name, { maxBytes: MAX_BYTES.repository });
      if (isSigned(data, parametersKeyOf(repository, keys), name)) {
        parseRepositoryFile(data, name);
      }
    }
  }
}

/**
 * Whether nobody wrote in another format: who does begins a generation first that says so. False also where that can't be
 * told, because the description of a generation that the ring has a key of is damaged, or not there.
 */
export async function hasKnownFormatsOnly(repository: DescribedRepository): Promise<boolean> {
  for (let generation = FIRST_GENERATION + 1; ; generation += 1) {
    const keys = await findKeys(repository, generation);
    if (keys === null) {
      return true;
    }
    if (!(await isKnown(repository, generation, parametersKeyOf(repository, keys)))) {
      return false;
    }
  }
}

async function isKnown(
  { store }: DescribedRepository,
  generation: number,
  parametersKey: Uint8Array,
): Promise<boolean> {
  try {
    return (await readRepositoryFile(store, generation, parametersKey)).suite === SUITE_NAME;
  } catch (error) {
    if (isAppError(error, 'VAULT_FORMAT_UNKNOWN', 'VAULT_CORRUPT', 'VAULT_OBJECT_MISSING')) {
      return false;
    }
    throw error;
  }
}

function parametersKeyOf({ repositoryId }: DescribedRepository, keys: RepositoryKeys): Uint8Array {
  return deriveParametersKey(keys, uuidToObjectId(repositoryId, 'repository'));
}

async function findKeys(
  { keyRing, tenantId, repositoryId }: DescribedRepository,
  generation: RepositoryKeyId['generation'],
): Promise<RepositoryKeys | null> {
  try {
    return await keyRing.getRepositoryKeys({ tenantId, repositoryId, generation });
  } catch (error) {
    if (isAppError(error, 'KEY_MISSING')) {
      return null;
    }
    throw error;
  }
}

function isSigned(data: Uint8Array, parametersKey: Uint8Array, name: string): boolean {
  try {
    verifyRepositoryFile(data, parametersKey, name);
    return true;
  } catch (error) {
    if (isAppError(error, 'VAULT_CORRUPT')) {
      return false;
    }
    throw error;
  }
}

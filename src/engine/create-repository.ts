import { AppError } from '../kernel/errors.ts';
import { FORMAT_VERSION } from './format/header.ts';
import { uuidToObjectId } from './format/ids.ts';
import { repoName } from './format/names.ts';
import { MAX_BYTES } from './format/size-limits.ts';
import { FIRST_GENERATION } from './keys/key-generations.ts';
import { deriveParametersKey } from './keys/key-schedule.ts';
import {
  checkParameters,
  DEFAULT_PARAMETERS,
  DIGEST_NAME,
  encodeRepositoryFile,
  parseRepositoryFile,
  SUITE_NAME,
  verifyRepositoryFile,
} from './repository-parameters.ts';
import type { Store } from './ports/store.ts';
import type { CreateRepositoryOptions } from './repository-options.ts';

/**
 * Makes keys and writes `repo.0`. Again with the same ids: nothing happens; VAULT_OBJECT_EXISTS if another repository
 * is there already.
 */
export async function createRepository(options: CreateRepositoryOptions): Promise<void> {
  const { store, keyRing, tenantId, repositoryId, parameters = DEFAULT_PARAMETERS } = options;
  checkParameters(parameters);
  const id = uuidToObjectId(repositoryId, 'repository');
  const name = repoName(FIRST_GENERATION);
  const keyName = { tenantId, repositoryId, generation: FIRST_GENERATION };
  if (options.immutable === true) {
    await requireImmutable(store);
  }
  const exists = (await store.head(name)) !== null;
  const keys = exists ? await keyRing.getRepositoryKeys(keyName) : await keyRing.createRepositoryKeys(keyName);
  const parametersKey = deriveParametersKey(keys, id);
  const file = {
    format: FORMAT_VERSION,
    repositoryId,
    generation: FIRST_GENERATION,
    suite: SUITE_NAME,
    digest: DIGEST_NAME,
    keyId: keys.keyId,
    chunking: parameters,
  };
  if (!exists) {
    await store.putIfAbsent(name, [encodeRepositoryFile(file, parametersKey)]);
  }
  await store.flush();
  const data = await store.get(name, { maxBytes: MAX_BYTES.repository });
  if (parseRepositoryFile(data, name).repositoryId !== repositoryId) {
    throw new AppError('VAULT_OBJECT_EXISTS', `Another repository is at ${store.description}.`, {
      hint: 'Choose an empty place for this vault.',
    });
  }
  verifyRepositoryFile(data, parametersKey, name);
}

async function requireImmutable({ retention, description }: Store): Promise<void> {
  if (retention === undefined) {
    throw new AppError(
      'VAULT_NOT_IMMUTABLE',
      `A vault at ${description} would not be immutable: it can’t lock objects.`,
    );
  }
  await retention.probe();
}

import { uuidToObjectId } from './format/ids.ts';
import { repoName } from './format/names.ts';
import { FIRST_GENERATION, KeyGenerations } from './keys/key-generations.ts';
import { deriveParametersKey, deriveSecrets } from './keys/key-schedule.ts';
import { lockLikeVault } from './retention/lock-like-vault.ts';
import { encodeRepositoryFile, readRepositoryFile } from './repository-parameters.ts';
import type { BeginKeyGenerationOptions } from './repository-options.ts';

/**
 * Gives a repository a new key, which everything is sealed with that is written from now on; nothing is written anew,
 * and what is there stays readable. Repositories that are open learn of it at their next session. Returns the
 * generation's number. A call that was interrupted is finished by the next, which then begins none of its own.
 */
export async function beginKeyGeneration(options: BeginKeyGenerationOptions): Promise<number> {
  const { store, keyRing, tenantId, repositoryId } = options;
  const id = { tenantId, repositoryId };
  const objectId = uuidToObjectId(repositoryId, 'repository');
  const first = await keyRing.getRepositoryKeys({ ...id, generation: FIRST_GENERATION });
  const file = await readRepositoryFile(store, FIRST_GENERATION, deriveParametersKey(first, objectId));
  const generations = new KeyGenerations(keyRing, id, deriveSecrets(first, objectId, FIRST_GENERATION));
  await generations.refresh();
  const newest = generations.secrets.generation;
  const isFinished = (await store.head(repoName(newest))) !== null;
  const generation = isFinished ? newest + 1 : newest;
  const keys = await keyRing.createRepositoryKeys({ ...id, generation });
  const parametersKey = deriveParametersKey(keys, objectId);
  const data = encodeRepositoryFile({ ...file, generation, keyId: keys.keyId }, parametersKey);
  await store.putIfAbsent(repoName(generation), [data], await lockLikeVault(store));
  await store.flush();
  await readRepositoryFile(store, generation, parametersKey);
  return generation;
}

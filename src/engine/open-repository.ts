import { availableParallelism } from 'node:os';
import { MIB } from '../kernel/bytes.ts';
import { AppError } from '../kernel/errors.ts';
import { CondemnedLog } from './collect/condemned-log.ts';
import { uuidToObjectId } from './format/ids.ts';
import { repoName } from './format/names.ts';
import { MAX_BYTES } from './format/size-limits.ts';
import { ChunkIndex } from './index/chunk-index.ts';
import { GenerationLearningStore } from './keys/generation-learning-store.ts';
import { FIRST_GENERATION, KeyGenerations } from './keys/key-generations.ts';
import { deriveParametersKey, deriveSecrets } from './keys/key-schedule.ts';
import { hasKnownFormatsOnly, requireKnownFormats } from './known-formats.ts';
import { checkParameters, parseRepositoryFile, verifyRepositoryFile } from './repository-parameters.ts';
import { VaultRepository } from './vault-repository.ts';
import { ChunkReader } from './restore/chunk-reader.ts';
import { PackTables } from './restore/pack-tables.ts';
import type { ChunkingParameters, OpenRepositoryOptions } from './repository-options.ts';
import type { Repository } from './repository.ts';
import { LanePool, lanesWithin } from './worker/lane-pool.ts';

const DEFAULT_BUDGET_BYTES = 400 * MIB;

/**
 * Reads and checks `repo.0`. VAULT_OBJECT_MISSING if none was created there, VAULT_FORMAT_UNKNOWN if it is of a later
 * format. Worker threads start when they are first needed and stop with the repository. With the first long work the
 * young generation of this process's heap stops to grow, for good.
 */
export async function openRepository(options: OpenRepositoryOptions): Promise<Repository> {
  const { leases, clock, repositoryId } = options;
  const { generations, parameters } = await openKeys(options);
  const { secrets } = generations;
  const store = new GenerationLearningStore(options.store, generations, () => hasKnownFormatsOnly(options));
  const workers = options.workers ?? availableParallelism();
  const lanes = lanesWithin(options.memoryBudgetBytes ?? DEFAULT_BUDGET_BYTES, workers, parameters);
  const condemned = new CondemnedLog(store, secrets, clock);
  const tables = new PackTables(store, secrets, condemned);
  const index = new ChunkIndex({ store, secrets, condemned, tables }, options.indexLimits);
  return new VaultRepository({
    repositoryId,
    store,
    clock,
    leases,
    secrets,
    generations,
    parameters,
    condemned,
    index,
    chunks: new ChunkReader(store, secrets, tables, condemned, index),
    lanes: new LanePool(lanes, secrets, parameters),
  });
}

async function openKeys(options: OpenRepositoryOptions): Promise<{
  readonly generations: KeyGenerations;
  readonly parameters: ChunkingParameters;
}> {
  const { store, keyRing, tenantId, repositoryId } = options;
  const name = repoName(FIRST_GENERATION);
  const data = await store.get(name, { maxBytes: MAX_BYTES.repository });
  const file = parseRepositoryFile(data, name);
  if (file.repositoryId !== repositoryId) {
    throw new AppError('VAULT_OBJECT_MISSING', `${store.description} holds another repository: ${file.repositoryId}.`);
  }
  const id = { tenantId, repositoryId };
  const objectId = uuidToObjectId(repositoryId, 'repository');
  const keys = await keyRing.getRepositoryKeys({ ...id, generation: FIRST_GENERATION });
  verifyRepositoryFile(data, deriveParametersKey(keys, objectId), name);
  checkParameters(file.chunking);
  await requireKnownFormats(options);
  const generations = new KeyGenerations(keyRing, id, deriveSecrets(keys, objectId, FIRST_GENERATION));
  await generations.refresh();
  return { generations, parameters: file.chunking };
}

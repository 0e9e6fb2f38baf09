import { availableParallelism } from 'node:os';
import { MIB } from '../kernel/bytes.ts';
import { AppError } from '../kernel/errors.ts';
import { CondemnedLog } from './collect/condemned-log.ts';
import { uuidToObjectId } from './format/ids.ts';
import { repoName } from './format/names.ts';
import { ChunkIndex } from './index/chunk-index.ts';
import { deriveSecrets } from './keys/key-schedule.ts';
import { checkParameters, parseRepositoryFile, verifyRepositoryFile } from './repository-parameters.ts';
import { VaultRepository } from './vault-repository.ts';
import { ChunkReader } from './restore/chunk-reader.ts';
import type { OpenRepositoryOptions, Repository } from './types.ts';
import { LanePool, lanesWithin } from './worker/lane-pool.ts';

const GENERATION = 0;
const DEFAULT_BUDGET_BYTES = 400 * MIB;

/** Reads and checks `repo.0`. Worker threads start when they are first needed and stop with the repository. */
export async function openRepository(options: OpenRepositoryOptions): Promise<Repository> {
  const { store, keyRing, leases, clock, tenantId, repositoryId } = options;
  const name = repoName(GENERATION);
  const data = await store.get(name);
  const file = parseRepositoryFile(data, name);
  if (file.repositoryId !== repositoryId) {
    throw new AppError('VAULT_OBJECT_MISSING', `${store.description} holds another repository: ${file.repositoryId}.`);
  }
  const keys = await keyRing.getRepositoryKeys({ tenantId, repositoryId, generation: GENERATION });
  const secrets = deriveSecrets(keys, uuidToObjectId(repositoryId, 'repository'), GENERATION);
  verifyRepositoryFile(data, secrets, name);
  const parameters = file.chunking;
  checkParameters(parameters);
  const workers = options.workers ?? Math.max(1, availableParallelism() - 1);
  const lanes = lanesWithin(options.memoryBudgetBytes ?? DEFAULT_BUDGET_BYTES, workers, parameters);
  return new VaultRepository({
    repositoryId,
    store,
    clock,
    leases,
    secrets,
    parameters,
    condemned: new CondemnedLog(store, secrets, clock),
    index: new ChunkIndex(store, secrets),
    chunks: new ChunkReader(store, secrets),
    lanes: new LanePool(lanes, secrets, parameters),
  });
}

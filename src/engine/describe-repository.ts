import { repoName } from './format/names.ts';
import { MAX_BYTES } from './format/size-limits.ts';
import type { Store } from './ports/store.ts';
import { parseRepositoryFile } from './repository-parameters.ts';
import type { ChunkingParameters } from './repository-options.ts';

export interface RepositoryDescription {
  readonly repositoryId: string;
  readonly keyId: string;
  readonly chunking: ChunkingParameters;
}

/**
 * What a store says that it holds, before there are keys to check it with. VAULT_OBJECT_MISSING if it holds no
 * repository.
 */
export async function describeRepository(store: Store): Promise<RepositoryDescription> {
  const name = repoName(0);
  const { repositoryId, keyId, chunking } = parseRepositoryFile(
    await store.get(name, { maxBytes: MAX_BYTES.repository }),
    name,
  );
  return { repositoryId, keyId, chunking };
}

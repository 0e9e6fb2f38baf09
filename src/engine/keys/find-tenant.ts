import { findDestruction } from './destroy-keys.ts';
import { KeyFolder } from './key-files.ts';
import { listRepositoryKeys, listTenants } from './list-repository-keys.ts';

/** The tenant in a folder of key files who has keys for a repository, or had before they were destroyed; null if none. */
export async function findTenantOf(folder: string, repositoryId: string): Promise<string | null> {
  const owner = (await listRepositoryKeys(folder)).find((keys) => keys.repositoryId === repositoryId);
  return owner?.tenantId ?? (await findDestroyed(folder, repositoryId));
}

async function findDestroyed(folder: string, repositoryId: string): Promise<string | null> {
  for (const tenantId of await listTenants(folder)) {
    const destruction = await findDestruction(new KeyFolder(folder), tenantId);
    if (destruction?.repositories.includes(repositoryId)) {
      return tenantId;
    }
  }
  return null;
}

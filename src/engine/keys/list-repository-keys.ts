import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../kernel/errors.ts';
import { isUuid } from '../../kernel/ids.ts';

export interface RepositoryKeyIds {
  readonly tenantId: string;
  readonly repositoryId: string;
}

/** Every repository that there are keys of in a folder of tenants' key files; none where there is no folder. */
export async function listRepositoryKeys(folder: string): Promise<RepositoryKeyIds[]> {
  const found: RepositoryKeyIds[] = [];
  for (const tenantId of await listTenants(folder)) {
    const files = await namesIn(join(folder, tenantId, 'repositories'));
    const ids = new Set(files.map((name) => name.split('.', 1)[0] ?? '').filter(isUuid));
    found.push(...Array.from(ids, (repositoryId) => ({ tenantId, repositoryId })));
  }
  return found;
}

/** The tenants that have a folder there, also those whose keys were destroyed. */
export async function listTenants(folder: string): Promise<string[]> {
  return (await namesIn(folder)).filter(isUuid);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') {
      return [];
    }
    throw error;
  }
}

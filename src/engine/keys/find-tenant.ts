import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../kernel/errors.ts';
import { isUuid } from '../../kernel/ids.ts';

/** The tenant in a folder of key files who has keys for a repository; null if none has. */
export async function findTenantOf(folder: string, repositoryId: string): Promise<string | null> {
  for (const tenantId of await namesIn(folder)) {
    const keys = isUuid(tenantId) ? await namesIn(join(folder, tenantId, 'repositories')) : [];
    if (keys.some((name) => name.startsWith(`${repositoryId}.`))) {
      return tenantId;
    }
  }
  return null;
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

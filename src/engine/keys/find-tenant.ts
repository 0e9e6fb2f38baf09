import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../kernel/errors.ts';
import { isUuid } from '../../kernel/ids.ts';
import { findDestruction } from './destroy-keys.ts';
import { KeyFolder } from './key-files.ts';

/** The tenant in a folder of key files who has keys for a repository, or had before they were destroyed; null if none. */
export async function findTenantOf(folder: string, repositoryId: string): Promise<string | null> {
  for (const tenantId of (await namesIn(folder)).filter(isUuid)) {
    const keys = await namesIn(join(folder, tenantId, 'repositories'));
    const destruction = await findDestruction(new KeyFolder(folder), tenantId);
    if (keys.some((name) => name.startsWith(`${repositoryId}.`)) || destruction?.repositories.includes(repositoryId)) {
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

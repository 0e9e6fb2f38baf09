import { mkdir } from 'node:fs/promises';
import { toStoreError } from '../engine/stores/directory-errors.ts';
import { errnoOf } from '../kernel/errors.ts';
import type { VaultLocation } from './access.ts';

/**
 * Makes the vault's own folder on its storage target. Not the target itself: where a mount is missing, nothing may be
 * begun below the mount point. VAULT_UNREACHABLE, VAULT_READ_ONLY or VAULT_FULL.
 */
export async function makeVaultFolder({ path }: VaultLocation): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') {
      throw toStoreError(error, 'make the folder', path);
    }
  }
}

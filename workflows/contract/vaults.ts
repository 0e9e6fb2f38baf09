import type { JobInput, JobRef } from './jobs.ts';

export interface CreateVaultInput extends JobInput {
  readonly vaultId: string;
}

export interface VaultJobRef extends JobRef {
  readonly vaultId: string;
}

/** Control queue. */
export interface VaultActivities {
  /** Makes the keys durable, then the repository; the same ids again: nothing happens. */
  createRepository(input: VaultJobRef): Promise<void>;
  markVaultReady(input: VaultJobRef): Promise<void>;
  /** Says on the vault's row why it can't be used. */
  markVaultFailed(input: VaultJobRef & { readonly code: string; readonly message: string }): Promise<void>;
}

import type { JobKind } from './jobs.ts';

/** The exported name of each job's workflow function. */
export const WORKFLOW_OF_KIND = {
  BACKUP: 'backupVm',
  RESTORE: 'restoreVm',
  REPLICATION: 'replicateVm',
  POOL_INVENTORY: 'inventoryPool',
  VAULT_CREATION: 'createVault',
} as const satisfies Record<JobKind, string>;

/** Removes what a job left behind whose own workflow is closed or lost. */
export const RECOVER_JOB = 'recoverJob';

const ID_PREFIX = {
  BACKUP: 'backup',
  RESTORE: 'restore',
  REPLICATION: 'replication',
  POOL_INVENTORY: 'pool-inventory',
  VAULT_CREATION: 'vault-creation',
} as const satisfies Record<JobKind, string>;

/** `<kind>/<jobId>`: one job, one workflow id, for ever. */
export function workflowIdOf(kind: JobKind, jobId: string): string {
  return `${ID_PREFIX[kind]}/${jobId}`;
}

export function recoveryIdOf(jobId: string): string {
  return `recovery/${jobId}`;
}

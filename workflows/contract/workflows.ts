import type { BackupVmInput } from './backup.ts';
import type { JobInput, JobResult } from './jobs.ts';
import type { InventoryPoolInput } from './pools.ts';
import type { RecoverJobInput } from './recovery.ts';
import type { ReplicateVmInput, RestoreVmInput } from './restore.ts';
import type { CreateVaultInput } from './vaults.ts';

export type JobWorkflow<Input extends JobInput> = (input: Input) => Promise<JobResult>;

/** The signatures behind the names in `workflow-names.ts`. */
export interface Workflows {
  backupVm: JobWorkflow<BackupVmInput>;
  restoreVm: JobWorkflow<RestoreVmInput>;
  replicateVm: JobWorkflow<ReplicateVmInput>;
  inventoryPool: JobWorkflow<InventoryPoolInput>;
  createVault: JobWorkflow<CreateVaultInput>;
  recoverJob: (input: RecoverJobInput) => Promise<void>;
}

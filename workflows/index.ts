/** What the workers bundle: every workflow, by the name in `contract/workflow-names.ts`. */
export { backupVm } from './backup-vm.workflow.ts';
export { createVault } from './create-vault.workflow.ts';
export { inventoryPool } from './inventory-pool.workflow.ts';
export { recoverJob } from './recover-job.workflow.ts';
export { replicateVm } from './replicate-vm.workflow.ts';
export { restoreVm } from './restore-vm.workflow.ts';

import { CancellationScope } from '@temporalio/workflow';
import { repositoryActivities } from './activity-proxies.ts';
import type { CreateVaultInput, JobResult, VaultJobRef } from './contract/index.ts';
import { toJobFailure } from './failures.ts';
import { runJob } from './run-job.ts';

/** Keys first, then the repository on its storage target, then the row says READY. */
export async function createVault(input: CreateVaultInput): Promise<JobResult> {
  return await runJob('VAULT_CREATION', input, async (job) => {
    const vault: VaultJobRef = { ...job.ref, vaultId: input.vaultId };
    try {
      await repositoryActivities(input.patience).createRepository(vault);
      await job.control.markVaultReady(vault);
      return { vaultId: input.vaultId };
    } catch (error) {
      const { code, message } = toJobFailure(error);
      await CancellationScope.nonCancellable(
        async () => await job.control.markVaultFailed({ ...vault, code, message }),
      );
      throw error;
    }
  });
}

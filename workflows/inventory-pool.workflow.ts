import { CancellationScope, isCancellation } from '@temporalio/workflow';
import { siteActivities } from './activity-proxies.ts';
import type { InventoryPoolInput, JobResult, PoolJobRef } from './contract/index.ts';
import { toJobFailure } from './failures.ts';
import { runJob } from './run-job.ts';

/** Finds out what a pool is, can do and has; or says on its row why it could not. */
export async function inventoryPool(input: InventoryPoolInput): Promise<JobResult> {
  return await runJob('POOL_INVENTORY', input, async (job) => {
    const pool: PoolJobRef = { ...job.ref, poolId: input.poolId };
    const { siteQueue } = await job.control.locatePool(pool);
    const site = siteActivities(siteQueue, input.patience);
    try {
      await site.probePool(pool);
      return { ...(await site.readInventory(pool)) };
    } catch (error) {
      if (!isCancellation(error)) {
        const { code, message } = toJobFailure(error);
        await CancellationScope.nonCancellable(
          async () => await job.control.markPoolFailed({ ...pool, code, message }),
        );
      }
      throw error;
    }
  });
}

import { CancellationScope } from '@temporalio/workflow';
import { siteActivities } from './activity-proxies.ts';
import { throwIfCancelled } from './cancellation.ts';
import { cleanUp } from './clean-up.ts';
import {
  DISKS_AT_A_TIME,
  type JobResult,
  type Patience,
  type PreparedRestore,
  type RecordRestoreInput,
  type RestoreRef,
  type RestoredDisk,
  type RestoredVm,
  type SiteActivities,
} from './contract/index.ts';
import { inParallel } from './in-parallel.ts';
import type { RunningJob } from './run-job.ts';

export interface RestoreOrder {
  readonly prepared: PreparedRestore;
  readonly patience: Patience;
  /** Writes the rows of the restored VM. */
  readonly record: (restored: RecordRestoreInput) => Promise<void>;
}

/** A new VM, switched off, with every disk of the restore point; or nothing at all. */
export async function restoreSteps(job: RunningJob, order: RestoreOrder): Promise<JobResult> {
  const { siteQueue, restorePointId, vaultId, target } = order.prepared;
  const restore: RestoreRef = { ...job.ref, restorePointId, vaultId, target };
  const site = siteActivities(siteQueue, order.patience);
  try {
    const { vmUuid, disks } = await fillDisks(job, site, restore, order.prepared);
    throwIfCancelled();
    const vm = await CancellationScope.nonCancellable(async () => {
      const finished = await site.finishRestore({ ...restore, vmUuid });
      await order.record({ ...restore, vm: finished, disks });
      return finished;
    });
    return toResult(restore, vm, disks);
  } finally {
    await cleanUp(job, async () => await site.cleanUpRestore(restore));
  }
}

async function fillDisks(
  job: RunningJob,
  site: SiteActivities,
  restore: RestoreRef,
  { placement, name }: PreparedRestore,
): Promise<{ readonly vmUuid: string; readonly disks: readonly RestoredDisk[] }> {
  const plan = await site.planRestore({ ...restore, placement });
  job.warnings.push(...plan.warnings);
  const vm = await site.createVm({ ...restore, placement, name });
  const disks = await inParallel(
    DISKS_AT_A_TIME,
    vm.disks,
    async (disk) => await site.restoreDisk({ ...restore, disk }),
  );
  return { vmUuid: vm.vmUuid, disks };
}

function toResult(restore: RestoreRef, vm: RestoredVm, disks: readonly RestoredDisk[]): JobResult {
  return {
    restorePointId: restore.restorePointId,
    poolId: restore.target.poolId,
    vmUuid: vm.vmUuid,
    vmName: vm.vmName,
    powerState: vm.powerState,
    bytesWritten: disks.reduce((sum, disk) => sum + disk.bytesWritten, 0),
  };
}

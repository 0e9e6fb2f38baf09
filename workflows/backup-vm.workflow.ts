import { CancellationScope, uuid4 } from '@temporalio/workflow';
import { siteActivities } from './activity-proxies.ts';
import { throwIfCancelled } from './cancellation.ts';
import { cleanUp } from './clean-up.ts';
import {
  DISKS_AT_A_TIME,
  type BackedUpDisk,
  type BackupRef,
  type BackupVmInput,
  type CommittedRestorePoint,
  type JobResult,
  type SiteActivities,
  type SnapshottedVm,
} from './contract/index.ts';
import { inParallel } from './in-parallel.ts';
import { runJob, type RunningJob } from './run-job.ts';

/** Plan, snapshot, disks, commit; and whatever happened, nothing stays in the pool that isn't the next run's base. */
export async function backupVm(input: BackupVmInput): Promise<JobResult> {
  return await runJob('BACKUP', input, async (job) => {
    const { vmId, vaultId } = input;
    const restorePointId = uuid4();
    const snapshotName = `holdfast-${uuid4()}`;
    const prepared = await job.control.prepareBackup({ ...job.ref, vmId, vaultId, restorePointId, snapshotName });
    const { baseRestorePointId } = prepared;
    const backup: BackupRef = { ...job.ref, vmId, vaultId, restorePointId, baseRestorePointId };
    const site = siteActivities(prepared.siteQueue, input.patience);
    try {
      return await moveDisks(job, site, backup, { ...input, snapshotName });
    } finally {
      await cleanUp(job, async () => await site.cleanUpBackup({ ...backup, snapshotName }));
    }
  });
}

async function moveDisks(
  job: RunningJob,
  site: SiteActivities,
  prepared: BackupRef,
  { changedBlocks, pauseForConsistency, snapshotName }: BackupVmInput & { readonly snapshotName: string },
): Promise<JobResult> {
  const { baseRestorePointId, reasons, warnings } = await site.planBackup({ ...prepared, changedBlocks });
  const backup = { ...prepared, baseRestorePointId };
  job.warnings.push(...warnings);
  const snapshot = await site.snapshotVm({ ...backup, snapshotName, changedBlocks, pauseForConsistency });
  const disks = await inParallel(DISKS_AT_A_TIME, snapshot.disks, async (disk) => {
    const plannedReason = reasons[disk.vdiUuid] ?? null;
    return await site.backupDisk({ ...backup, disk, plannedReason, changedBlocks });
  });
  throwIfCancelled();
  return toResult(await commit(job, site, backup, { snapshot, disks }));
}

/** From the vault's commit on there is no way back: the row follows, even if somebody cancels in between. */
async function commit(
  job: RunningJob,
  site: SiteActivities,
  backup: BackupRef,
  { snapshot, disks }: { readonly snapshot: SnapshottedVm; readonly disks: readonly BackedUpDisk[] },
): Promise<CommittedRestorePoint> {
  return await CancellationScope.nonCancellable(async () => {
    const point = await site.commitRestorePoint({ ...backup, snapshot, disks });
    await job.control.recordRestorePoint({ ...backup, point, disks: snapshot.disks });
    return point;
  });
}

function toResult(point: CommittedRestorePoint): JobResult {
  return {
    restorePointId: point.restorePointId,
    consistency: point.consistency,
    sizeBytes: point.sizeBytes,
    bytesRead: point.bytesRead,
    bytesStored: point.bytesStored,
  };
}

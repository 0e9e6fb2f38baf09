import type { RetryPolicy } from '@temporalio/common';
import { proxyActivities } from '@temporalio/workflow';
import { TIMING, type ControlActivities, type Patience, type SiteActivities } from './contract/index.ts';

/** Statements on the database: tried until it answers, however long that takes. */
export function controlActivities(): ControlActivities {
  return proxyActivities<ControlActivities>({
    startToCloseTimeout: TIMING.controlAttemptMs,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: { initialInterval: 500, backoffCoefficient: 2, maximumInterval: 10_000 },
  });
}

/** Creating a repository touches storage: what is unavailable is tried as long as the job has patience. */
export function repositoryActivities(patience: Patience): Pick<ControlActivities, 'createRepository'> {
  return proxyActivities<Pick<ControlActivities, 'createRepository'>>({
    startToCloseTimeout: TIMING.siteAttemptMs,
    heartbeatTimeout: patience.heartbeatTimeoutMs ?? TIMING.heartbeatTimeoutMs,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: retryOf(patience),
  });
}

/** Calls that a site's mover makes. A machine that dies is noticed by its missing heartbeats. */
export function siteActivities(taskQueue: string, patience: Patience): SiteActivities {
  const shared = {
    taskQueue,
    heartbeatTimeout: patience.heartbeatTimeoutMs ?? TIMING.heartbeatTimeoutMs,
    scheduleToStartTimeout: TIMING.moverAbsentMs,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: retryOf(patience),
  } as const;
  const short = proxyActivities<SiteActivities>({ ...shared, startToCloseTimeout: TIMING.siteAttemptMs });
  const long = proxyActivities<SiteActivities>({ ...shared, startToCloseTimeout: TIMING.diskAttemptMs });
  return {
    planBackup: short.planBackup,
    snapshotVm: short.snapshotVm,
    backupDisk: long.backupDisk,
    commitRestorePoint: short.commitRestorePoint,
    cleanUpBackup: short.cleanUpBackup,
    planRestore: short.planRestore,
    createVm: short.createVm,
    restoreDisk: long.restoreDisk,
    finishRestore: short.finishRestore,
    cleanUpRestore: short.cleanUpRestore,
    probePool: short.probePool,
    readInventory: short.readInventory,
  };
}

function retryOf({ attempts, firstDelayMs }: Patience): RetryPolicy {
  return {
    initialInterval: firstDelayMs,
    backoffCoefficient: 2,
    maximumInterval: TIMING.longestDelayMs,
    maximumAttempts: attempts,
  };
}

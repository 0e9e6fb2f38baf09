import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type {
  CommittedRestorePoint,
  ControlActivities,
  CreatedVm,
  JobOutcome,
  PreparedRestore,
  SiteActivities,
  SnapshottedDisk,
  SnapshottedVm,
} from '../../workflows/contract/index.ts';

/** What the workflows asked for, in order, and how the job ended: the world as these tests see it. */
export interface Recording {
  readonly calls: string[];
  outcome: JobOutcome | undefined;
}

export const SITE_ID = '0198c0de-0000-7000-8000-00000000517e';
export const POOL_ID = '0198c0de-0000-7000-8000-00000000b001';

export function failure(code: string, message: string, hint = 'Do something.'): ApplicationFailure {
  return ApplicationFailure.create({ type: code, message, nonRetryable: true, details: [{ hint, data: {} }] });
}

const DISKS: readonly SnapshottedDisk[] = ['a', 'b', 'c'].map((name, index) => ({
  vdiUuid: `vdi-${name}`,
  snapshotVdiUuid: `snapshot-vdi-${name}`,
  name,
  device: String(index),
  sizeBytes: 1024,
  srUuid: 'sr-1',
  bootable: index === 0,
  tracked: true,
}));

const SNAPSHOT: SnapshottedVm = {
  snapshotVmUuid: 'snapshot-vm',
  vmUuid: 'vm',
  vmName: 'web',
  consistency: 'CRASH',
  takenAt: '2026-01-02T03:04:05.000Z',
  disks: DISKS,
  skipped: [],
};

export function recordedControl(recording: Recording, siteQueueName: string): ControlActivities {
  const note = (name: string): void => {
    recording.calls.push(name);
  };
  const prepared = (): PreparedRestore => ({
    siteQueue: siteQueueName,
    restorePointId: 'point',
    vaultId: 'vault',
    target: { poolOwnerId: 'owner', poolId: POOL_ID, poolGrantId: null },
    placement: { defaultSrUuid: 'sr-2', disks: {}, networks: {} },
    name: null,
  });
  return {
    beginJob: async () => note('beginJob'),
    finishJob: async ({ outcome }) => {
      note(`finishJob ${outcome.state}`);
      recording.outcome = outcome;
    },
    prepareBackup: async () => {
      note('prepareBackup');
      return { siteQueue: siteQueueName, baseRestorePointId: null };
    },
    recordRestorePoint: async () => note('recordRestorePoint'),
    prepareRestore: async () => {
      note('prepareRestore');
      return prepared();
    },
    prepareReplication: async () => {
      note('prepareReplication');
      return prepared();
    },
    recordRestore: async () => note('recordRestore'),
    recordReplica: async () => note('recordReplica'),
    locatePool: async () => {
      note('locatePool');
      return { siteQueue: siteQueueName };
    },
    markPoolFailed: async ({ code }) => note(`markPoolFailed ${code}`),
    createRepository: async () => note('createRepository'),
    markVaultReady: async () => note('markVaultReady'),
    markVaultFailed: async ({ code }) => note(`markVaultFailed ${code}`),
    findLeftBehind: async () => {
      note('findLeftBehind');
      return { kind: 'NOTHING' };
    },
  };
}

export function recordedSite(recording: Recording): SiteActivities {
  const note = (name: string): void => {
    recording.calls.push(name);
  };
  return {
    planBackup: async () => {
      note('planBackup');
      return { baseRestorePointId: null, reasons: {}, totalBytes: 3072, warnings: [] };
    },
    snapshotVm: async ({ snapshotName }) => {
      note(`snapshotVm ${snapshotName.slice(0, 9)}`);
      return SNAPSHOT;
    },
    backupDisk: async ({ disk }) => {
      note(`backupDisk ${disk.name}`);
      const { vdiUuid, sizeBytes } = disk;
      const counts = { bytesRead: 512, bytesChanged: 512, bytesStored: 256, reconnects: 0, stored: {} };
      return { vdiUuid, sizeBytes, path: 'CHANGED_BLOCKS_NBD', reason: null, ...counts };
    },
    commitRestorePoint: async ({ restorePointId, disks }) => {
      note('commitRestorePoint');
      return committed(restorePointId, disks);
    },
    cleanUpBackup: async ({ snapshotName }) => {
      note(`cleanUpBackup ${snapshotName.slice(0, 9)}`);
      return { removed: [], left: [] };
    },
    planRestore: async () => {
      note('planRestore');
      return { totalBytes: 2048, warnings: [] };
    },
    createVm: async () => {
      note('createVm');
      return CREATED;
    },
    restoreDisk: async ({ disk }) => {
      note(`restoreDisk ${disk.name}`);
      const { diskKey, vdiUuid, sizeBytes } = disk;
      return { diskKey, vdiUuid, sizeBytes, bytesWritten: sizeBytes, bytesSkipped: 0 };
    },
    finishRestore: async ({ vmUuid }) => {
      note('finishRestore');
      return { vmUuid, vmName: 'web', powerState: 'Halted' };
    },
    cleanUpRestore: async () => {
      note('cleanUpRestore');
      return { removed: [], left: [] };
    },
    probePool: async () => note('probePool'),
    readInventory: async () => {
      note('readInventory');
      return { hosts: 1, srs: 2, networks: 3, vms: 4 };
    },
  };
}

const CREATED: CreatedVm = {
  vmUuid: 'new-vm',
  vmName: 'web',
  disks: DISKS.slice(0, 2).map(({ name, device, sizeBytes }) => ({
    diskKey: `vdi-${name}`,
    name,
    device,
    sizeBytes,
    srUuid: 'sr-2',
    vdiUuid: `new-vdi-${name}`,
  })),
};

function committed(restorePointId: string, disks: CommittedRestorePoint['disks']): CommittedRestorePoint {
  return {
    restorePointId,
    vmName: SNAPSHOT.vmName,
    takenAt: SNAPSHOT.takenAt,
    committedAt: '2026-01-02T03:05:00.000Z',
    consistency: SNAPSHOT.consistency,
    sizeBytes: 3072,
    bytesRead: 1536,
    bytesStored: 768,
    disks,
  };
}

/** An activity's body that only a cancellation ends. */
export async function endWhenCancelled(recording: Recording, what: string): Promise<void> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), 50);
  try {
    await context.cancelled;
  } finally {
    clearInterval(beat);
    recording.calls.push(`${what} stopped`);
  }
}

import type { BackupControlActivities, BackupSiteActivities } from './backup.ts';
import type { JobActivities } from './jobs.ts';
import type { PoolControlActivities, PoolSiteActivities } from './pools.ts';
import type { RecoveryActivities } from './recovery.ts';
import type { RestoreControlActivities, RestoreSiteActivities } from './restore.ts';
import type { VaultActivities } from './vaults.ts';

/** What a worker of the control queue implements. */
export interface ControlActivities
  extends
    JobActivities,
    BackupControlActivities,
    RestoreControlActivities,
    PoolControlActivities,
    VaultActivities,
    RecoveryActivities {}

/** What a worker of a site's queue implements. */
export interface SiteActivities extends BackupSiteActivities, RestoreSiteActivities, PoolSiteActivities {}

export const CONTROL_ACTIVITIES = [
  'beginJob',
  'finishJob',
  'prepareBackup',
  'recordRestorePoint',
  'prepareRestore',
  'prepareReplication',
  'recordRestore',
  'recordReplica',
  'locatePool',
  'markPoolFailed',
  'createRepository',
  'markVaultReady',
  'markVaultFailed',
  'findLeftBehind',
] as const satisfies readonly (keyof ControlActivities)[];

export const SITE_ACTIVITIES = [
  'planBackup',
  'snapshotVm',
  'backupDisk',
  'commitRestorePoint',
  'cleanUpBackup',
  'planRestore',
  'createVm',
  'restoreDisk',
  'finishRestore',
  'cleanUpRestore',
  'probePool',
  'readInventory',
] as const satisfies readonly (keyof SiteActivities)[];

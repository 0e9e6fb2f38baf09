import type { JobInput, JobRef } from './jobs.ts';

export interface BackupVmInput extends JobInput {
  readonly vmId: string;
  readonly vaultId: string;
  /** Consent to switch changed-block tracking on. */
  readonly changedBlocks: boolean;
  /** Pause a running VM with several disks around the snapshot, so that they are of one moment. */
  readonly pauseForConsistency: boolean;
}

/** What names a backup at every step: the session in the vault has the job's id. */
export interface BackupRef extends JobRef {
  readonly vmId: string;
  readonly vaultId: string;
  readonly restorePointId: string;
  readonly baseRestorePointId: string | null;
}

export interface PrepareBackupInput extends JobRef {
  readonly vmId: string;
  readonly vaultId: string;
  readonly restorePointId: string;
  readonly snapshotName: string;
}

export interface PreparedBackup {
  /** The queue of the site where the VM is. */
  readonly siteQueue: string;
  /** The newest restore point of the VM in this vault; null before its first backup. */
  readonly baseRestorePointId: string | null;
}

export interface PlanBackupInput extends BackupRef {
  readonly changedBlocks: boolean;
}

export interface PlannedBackup {
  /** Why a disk will be read in full, by VDI UUID; null where only changed blocks will be. */
  readonly reasons: Readonly<Record<string, string | null>>;
  /** The base that can really be used; null where there is none (any more). */
  readonly baseRestorePointId: string | null;
  readonly totalBytes: number;
  readonly warnings: readonly string[];
}

export interface SnapshotVmInput extends BackupRef {
  /** Random, and journalled with the job before this call: the proof that a snapshot is ours. */
  readonly snapshotName: string;
  readonly changedBlocks: boolean;
  readonly pauseForConsistency: boolean;
}

export interface SnapshottedDisk {
  readonly vdiUuid: string;
  readonly snapshotVdiUuid: string;
  readonly name: string;
  readonly device: string;
  readonly sizeBytes: number;
  readonly srUuid: string;
  readonly bootable: boolean;
  readonly tracked: boolean;
}

export type Consistency = 'CRASH_PER_DISK' | 'CRASH' | 'POWERED_OFF';

export interface SkippedDevice {
  readonly device: string;
  readonly type: string;
  readonly reason: string;
}

export interface SnapshottedVm {
  readonly snapshotVmUuid: string;
  readonly vmUuid: string;
  readonly vmName: string;
  readonly consistency: Consistency;
  /** ISO 8601, by the pool's clock. */
  readonly takenAt: string;
  readonly disks: readonly SnapshottedDisk[];
  readonly skipped: readonly SkippedDevice[];
}

export interface BackupDiskInput extends BackupRef {
  readonly disk: SnapshottedDisk;
  /** What the plan said of this disk. */
  readonly plannedReason: string | null;
  readonly changedBlocks: boolean;
}

/** All byte counts in bytes. */
export interface BackedUpDisk {
  readonly vdiUuid: string;
  readonly sizeBytes: number;
  readonly path: 'CHANGED_BLOCKS_NBD' | 'FULL_NBD';
  /** Why every block was read; null where only changed ones were. */
  readonly reason: string | null;
  readonly bytesRead: number;
  readonly bytesChanged: number;
  readonly bytesStored: number;
  readonly reconnects: number;
  /** What the vault commits the disk with: names of packs. Handed on as it is. */
  readonly stored: object;
}

export interface CommitRestorePointInput extends BackupRef {
  readonly snapshot: SnapshottedVm;
  readonly disks: readonly BackedUpDisk[];
}

/** What the vault holds from now on. */
export interface CommittedRestorePoint {
  readonly restorePointId: string;
  readonly vmName: string;
  readonly takenAt: string;
  readonly committedAt: string;
  readonly consistency: Consistency;
  readonly sizeBytes: number;
  readonly bytesRead: number;
  readonly bytesStored: number;
  readonly disks: readonly BackedUpDisk[];
}

export interface RecordRestorePointInput extends BackupRef {
  readonly point: CommittedRestorePoint;
  readonly disks: readonly SnapshottedDisk[];
}

export interface CleanUpBackupInput extends BackupRef {
  readonly snapshotName: string;
}

export interface CleanedUp {
  readonly removed: readonly string[];
  /** What could not be removed now, and why. */
  readonly left: readonly string[];
}

/** Database alone; control queue. */
export interface BackupControlActivities {
  /** Journals what a clean-up will need, and says where the VM is. VM_GONE, NOT_FOUND. */
  prepareBackup(input: PrepareBackupInput): Promise<PreparedBackup>;
  /** Row, usage and events in one transaction; only after the vault's own object exists. Again: nothing happens. */
  recordRestorePoint(input: RecordRestorePointInput): Promise<void>;
}

/** On the queue of the VM's site. Safe to repeat: a second attempt finds what the first one made. */
export interface BackupSiteActivities {
  planBackup(input: PlanBackupInput): Promise<PlannedBackup>;
  snapshotVm(input: SnapshotVmInput): Promise<SnapshottedVm>;
  backupDisk(input: BackupDiskInput): Promise<BackedUpDisk>;
  commitRestorePoint(input: CommitRestorePointInput): Promise<CommittedRestorePoint>;
  /** Removes the snapshot, dom0 attachments and the session, whatever of them there is. */
  cleanUpBackup(input: CleanUpBackupInput): Promise<CleanedUp>;
}

import type { ClosedVault, PoolAccess, VaultAccess } from './access.ts';
import type { DiskResult } from '../engine/index.ts';
import type { DiskSummary } from '../xen/model.ts';

/** What actually happened, not what was asked. */
export type Consistency = 'CRASH_PER_DISK' | 'CRASH' | 'POWERED_OFF';

/** How a disk's bytes are read. */
export type DiskPath = 'CHANGED_BLOCKS_NBD' | 'FULL_NBD';

/** Why a disk can't be (or wasn't) read by changed blocks alone. */
export type FullReadReason =
  | 'FIRST_BACKUP'
  | 'NEW_DISK'
  | 'TRACKING_NOT_WANTED'
  | 'TRACKING_NOT_SUPPORTED'
  | 'TRACKING_NOT_LICENSED'
  | 'TRACKING_JUST_ENABLED'
  | 'BASE_RESTORE_POINT_LOST'
  | 'BASE_SNAPSHOT_LOST'
  | 'TRACKING_CHAIN_LOST'
  | 'DISK_SHRUNK'
  | 'CHANGE_LIST_LIED'
  | 'BASE_DAMAGED';

export interface PlanBackupCommand {
  readonly pool: PoolAccess;
  readonly vault: VaultAccess;
  readonly vmUuid: string;
  /** The newest restore point of this VM in this vault, or null for its first backup. */
  readonly baseRestorePointId: string | null;
  /** The policy's consent to switch changed-block tracking on. */
  readonly changedBlocks: boolean;
}

export interface PlannedDisk {
  readonly vdiUuid: string;
  readonly name: string;
  /** Position on the VM's bus, as XAPI counts (`userdevice`). */
  readonly device: string;
  readonly sizeBytes: number;
  readonly srUuid: string;
  readonly path: DiskPath;
  /** Null exactly where the path is CHANGED_BLOCKS_NBD. */
  readonly reason: FullReadReason | null;
}

export interface SkippedDevice {
  readonly device: string;
  readonly type: string;
  readonly reason: string;
}

export interface BackupPlan {
  readonly vmUuid: string;
  readonly vmName: string;
  readonly powerState: string;
  /** The base to name in the session: null where there is none, or where the vault no longer has it. */
  readonly baseRestorePointId: string | null;
  readonly disks: readonly PlannedDisk[];
  readonly skipped: readonly SkippedDevice[];
  readonly totalBytes: number;
  /** What a policy's owner should know before the run relies on it; empty when all is well. */
  readonly warnings: readonly string[];
}

export interface SnapshotVmCommand {
  readonly pool: PoolAccess;
  readonly vaultId: string;
  readonly jobId: string;
  readonly vmUuid: string;
  /** Random and journalled by the caller before this call: the proof that a snapshot is ours. */
  readonly snapshotName: string;
  readonly changedBlocks: boolean;
  /** Pause a running VM with several disks around the snapshot, so that they are of one moment. */
  readonly pauseForConsistency: boolean;
}

export interface SnapshottedDisk extends DiskSummary {
  /** The disk of the VM itself. */
  readonly vdiUuid: string;
  readonly snapshotVdiUuid: string;
  /** The snapshot has a change log: it can be the base of the next incremental. */
  readonly tracked: boolean;
}

export interface SnapshotResult {
  readonly snapshotVmUuid: string;
  readonly vmUuid: string;
  readonly vmName: string;
  readonly consistency: Consistency;
  /** ISO 8601, by the pool's clock. */
  readonly takenAt: string;
  readonly disks: readonly SnapshottedDisk[];
  readonly skipped: readonly SkippedDevice[];
}

/** Names a writing session in the vault; the restore point will have the id given here. */
export interface SessionRef {
  /** Equals the job's id: a repeated attempt finds its own session. */
  readonly sessionId: string;
  readonly restorePointId: string;
  /** As the plan says. */
  readonly baseRestorePointId: string | null;
}

export interface BackupDiskCommand {
  readonly pool: PoolAccess;
  readonly vault: VaultAccess;
  readonly session: SessionRef;
  readonly disk: SnapshottedDisk;
  readonly changedBlocks: boolean;
  /** What the plan said of this disk: why there is no base, where the session names none. */
  readonly plannedReason?: FullReadReason | null;
}

export interface DiskBackupResult {
  readonly vdiUuid: string;
  readonly sizeBytes: number;
  readonly path: DiskPath;
  readonly reason: FullReadReason | null;
  /** Read from the pool, bytes. */
  readonly bytesRead: number;
  /** Bytes of the changed blocks; the disk's size where all was read. */
  readonly bytesChanged: number;
  /** Written to the vault for this disk, after deduplication and compression. */
  readonly bytesStored: number;
  /** How often a connection had to be opened again. */
  readonly reconnects: number;
  /** What the vault commits the disk with; handed on as it is. */
  readonly stored: DiskResult;
}

export interface CommitRestorePointCommand {
  readonly pool: PoolAccess;
  readonly vault: VaultAccess;
  readonly session: SessionRef;
  readonly jobId: string;
  readonly vmId: string;
  readonly snapshot: SnapshotResult;
  readonly disks: readonly DiskBackupResult[];
}

export interface CommittedRestorePoint {
  readonly restorePointId: string;
  readonly vmName: string;
  readonly takenAt: string;
  readonly committedAt: string;
  readonly consistency: Consistency;
  readonly sizeBytes: number;
  readonly bytesRead: number;
  readonly bytesStored: number;
  readonly disks: readonly DiskBackupResult[];
}

export interface CleanUpBackupCommand {
  readonly pool: PoolAccess;
  /** The pool is cleaned also where the vault can't be opened any more. */
  readonly vault: VaultAccess | ClosedVault;
  readonly session: SessionRef;
  readonly jobId: string;
  readonly vmUuid: string;
  readonly snapshotName: string;
}

/** Names of what was removed, for the audit trail: "snapshot 5f1c…", "anchor 77aa…". */
export interface CleanUpResult {
  readonly removed: readonly string[];
  /** What could not be removed now, and why; collected later. */
  readonly left: readonly string[];
}

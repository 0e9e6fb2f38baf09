import type { PointInfo, PointSummary } from '../engine/index.ts';
import type { Consistency, DiskPath, FullReadReason } from './backup-commands.ts';

/** What is known of a disk at the next run: where its bytes were snapshotted and whether changes are tracked since. */
export interface DiskInfo {
  /** UUID of the VM's disk; also its key in the vault. */
  readonly vdiUuid: string;
  readonly snapshotVdiUuid: string;
  readonly tracked: boolean;
  readonly sizeBytes: number;
  readonly path: DiskPath;
  readonly reason: FullReadReason | null;
  /** For the catalogue, should it ever be rebuilt; absent in restore points from before this was kept. */
  readonly name?: string;
  readonly device?: string;
  readonly bytesRead?: number;
  readonly bytesStored?: number;
}

/** The small facts that are committed in the same object as the restore point itself. */
export interface BackupInfo {
  readonly version: 1;
  readonly jobId: string;
  readonly vmUuid: string;
  readonly vmName: string;
  readonly consistency: Consistency;
  readonly disks: readonly DiskInfo[];
}

export function toPointInfo(info: BackupInfo): PointInfo {
  return { ...info };
}

/** Null where the point was written by something that this version doesn't understand: then there is no base. */
export function findBackupInfo(summary: PointSummary): BackupInfo | null {
  const info = summary.info as Partial<BackupInfo>;
  return info.version === 1 && Array.isArray(info.disks) ? (info as BackupInfo) : null;
}

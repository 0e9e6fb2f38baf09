import type { CatalogDamage, CatalogPoint, Repository } from '../engine/index.ts';
import { isoOf } from '../xen/datetime.ts';
import type { Consistency, DiskPath, FullReadReason } from './backup-commands.ts';
import { findBackupInfo, type BackupInfo } from './backup-info.ts';

export interface RecoveredDisk {
  readonly vdiUuid: string;
  readonly name: string;
  readonly device: string;
  readonly sizeBytes: number;
  readonly bytesRead: number;
  readonly bytesStored: number;
  readonly path: DiskPath;
  readonly reason: FullReadReason | null;
}

/** A restore point as its backup's commit told it. Times are ISO 8601. */
export interface RecoveredPoint {
  readonly restorePointId: string;
  readonly vmId: string;
  readonly jobId: string;
  readonly vmName: string;
  readonly takenAt: string;
  readonly committedAt: string;
  readonly consistency: Consistency;
  readonly sizeBytes: number;
  readonly bytesRead: number;
  readonly bytesStored: number;
  readonly disks: readonly RecoveredDisk[];
}

/** What a control plane keeps of a vault, from the vault alone. */
export interface RecoveredCatalog {
  readonly epoch: number;
  readonly storedBytes: number;
  readonly points: readonly RecoveredPoint[];
  /** Restore points that no backup of Holdfast made; they stay in the vault. */
  readonly foreign: readonly string[];
  /** Objects that can't be read. A restore point among them may exist or not: nobody can tell. */
  readonly damaged: readonly CatalogDamage[];
}

/** The epoch first: what an older control plane has under way may commit nothing after the catalogue was read. */
export async function recoverCatalog(repository: Repository): Promise<RecoveredCatalog> {
  const epoch = await repository.raiseEpoch();
  const { points, storedBytes, damaged } = await repository.readCatalog();
  const recovered: RecoveredPoint[] = [];
  const foreign: string[] = [];
  for (const point of points) {
    const info = findBackupInfo(point);
    if (info === null) {
      foreign.push(point.pointId);
    } else {
      recovered.push(toPoint(point, info));
    }
  }
  return { epoch, storedBytes, points: recovered, foreign, damaged };
}

function toPoint(point: CatalogPoint, info: BackupInfo): RecoveredPoint {
  const disks = info.disks.map((disk): RecoveredDisk => {
    const stored = point.disks.find(({ diskKey }) => diskKey === disk.vdiUuid);
    const { vdiUuid, sizeBytes, path, reason, name = '', device = '', bytesRead = 0 } = disk;
    const bytesStored = disk.bytesStored ?? stored?.bytesStoredNew ?? 0;
    return { vdiUuid, name, device, sizeBytes, bytesRead, bytesStored, path, reason };
  });
  const sum = (value: (disk: RecoveredDisk) => number): number => disks.reduce((all, disk) => all + value(disk), 0);
  return {
    restorePointId: point.pointId,
    vmId: point.vmId,
    jobId: info.jobId,
    vmName: info.vmName,
    takenAt: isoOf(point.takenAt),
    committedAt: isoOf(point.committedAt),
    consistency: info.consistency,
    sizeBytes: sum((disk) => disk.sizeBytes),
    bytesRead: sum((disk) => disk.bytesRead),
    bytesStored: sum((disk) => disk.bytesStored),
    disks,
  };
}

import type { Repository } from '../engine/index.ts';
import { epochMsOf, isoOf } from '../xen/datetime.ts';
import { readVmConfig } from '../xen/vm-config.ts';
import type { XapiConnection } from '../xen/xapi-connection.ts';
import type { CommitRestorePointCommand, CommittedRestorePoint, DiskBackupResult } from './backup-commands.ts';
import { type BackupInfo, toPointInfo } from './backup-info.ts';

/** Makes the restore point exist: configuration, disks, and the base of the next run in one object. Safe to repeat. */
export async function commitRestorePoint(
  connection: XapiConnection,
  repository: Repository,
  command: CommitRestorePointCommand,
  signal: AbortSignal,
): Promise<CommittedRestorePoint> {
  const { session, snapshot, disks } = command;
  const config = await readVmConfig(connection, snapshot.snapshotVmUuid, snapshot, signal);
  const summary = await repository.commitPoint({
    sessionId: session.sessionId,
    pointId: session.restorePointId,
    vmId: command.vmId,
    takenAt: epochMsOf(snapshot.takenAt),
    disks: disks.map((disk) => disk.stored),
    config: new TextEncoder().encode(JSON.stringify(config)),
    info: toPointInfo(toInfo(command)),
  });
  const sum = (value: (disk: DiskBackupResult) => number): number =>
    disks.reduce((total, disk) => total + value(disk), 0);
  return {
    restorePointId: summary.pointId,
    vmName: snapshot.vmName,
    takenAt: isoOf(summary.takenAt),
    committedAt: isoOf(summary.committedAt),
    consistency: snapshot.consistency,
    sizeBytes: sum((disk) => disk.sizeBytes),
    bytesRead: sum((disk) => disk.bytesRead),
    bytesStored: sum((disk) => disk.bytesStored),
    disks,
  };
}

function toInfo({ jobId, snapshot, disks }: CommitRestorePointCommand): BackupInfo {
  return {
    version: 1,
    jobId,
    vmUuid: snapshot.vmUuid,
    vmName: snapshot.vmName,
    consistency: snapshot.consistency,
    disks: disks.map((disk) => {
      const snapshotted = snapshot.disks.find((each) => each.vdiUuid === disk.vdiUuid);
      return {
        vdiUuid: disk.vdiUuid,
        snapshotVdiUuid: snapshotted?.snapshotVdiUuid ?? '',
        tracked: snapshotted?.tracked ?? false,
        sizeBytes: disk.sizeBytes,
        path: disk.path,
        reason: disk.reason,
        name: snapshotted?.name ?? '',
        device: snapshotted?.device ?? '',
        bytesRead: disk.bytesRead,
        bytesStored: disk.bytesStored,
      };
    }),
  };
}

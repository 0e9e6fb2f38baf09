import { isAppError } from '../kernel/errors.ts';
import type { Repository } from '../engine/index.ts';
import { destroyVdi, dropVdiContent } from '../xen/destroy-vdi.ts';
import { findSnapshotVms, findStampedVdis, type OwnVdi, releaseSnapshotVm } from '../xen/own-snapshots.ts';
import { releasePause } from '../xen/pause.ts';
import { STAMP } from '../xen/stamps.ts';
import { getVm } from '../xen/vm-disks.ts';
import type { XapiConnection } from '../xen/xapi-connection.ts';
import type { CleanUpBackupCommand, CleanUpResult } from './backup-commands.ts';
import { findBackupInfo } from './backup-info.ts';
import { endSession } from './end-session.ts';

/**
 * Leaves in the pool only what the next run needs. Whether the job succeeded isn't asked of the caller but of the
 * vault: with a committed point its tracked snapshots become anchors without data and this vault's older ones go;
 * without one, everything of this job goes and the older anchors stay. Safe to repeat.
 */
export async function cleanUpBackup(
  connection: XapiConnection,
  repository: Repository,
  command: CleanUpBackupCommand,
): Promise<CleanUpResult> {
  await releaseVm(connection, command);
  const anchors = await findAnchors(repository, command.session.restorePointId);
  const left: string[] = [];
  if (anchors === null) {
    // First of all: from here on a writer that was only stopped can't commit a point whose anchors are gone.
    left.push(...(await endSession(repository, command.session.sessionId)));
  }
  const removed = await cleanPool(connection, command, anchors);
  if (anchors !== null) {
    left.push(...(await endSession(repository, command.session.sessionId)));
  }
  return { removed, left };
}

/** UUIDs of the snapshots that are bases for the next run; null where the point was not committed. */
async function findAnchors(repository: Repository, pointId: string): Promise<ReadonlySet<string> | null> {
  try {
    const info = findBackupInfo((await repository.readPoint(pointId)).summary);
    return new Set((info?.disks ?? []).filter((disk) => disk.tracked).map((disk) => disk.snapshotVdiUuid));
  } catch (error) {
    if (isAppError(error, 'NO_RESTORE_POINT')) {
      return null;
    }
    throw error;
  }
}

async function releaseVm(connection: XapiConnection, { vmUuid, jobId }: CleanUpBackupCommand): Promise<void> {
  try {
    await releasePause(connection, await getVm(connection, vmUuid), jobId);
  } catch (error) {
    if (!isAppError(error, 'VM_GONE')) {
      throw error;
    }
  }
}

async function cleanPool(
  connection: XapiConnection,
  command: CleanUpBackupCommand,
  anchors: ReadonlySet<string> | null,
): Promise<string[]> {
  const { jobId, vmUuid, vault } = command;
  const removed: string[] = [];
  const stamps = { [STAMP.backupJob]: jobId, [STAMP.vault]: vault.vaultId, [STAMP.vmUuid]: vmUuid };
  for (const snapshot of await findSnapshotVms(connection, command)) {
    await releaseSnapshotVm(connection, snapshot, stamps);
    removed.push(`snapshot ${snapshot.record.uuid}`);
  }
  for (const vdi of await findStampedVdis(connection, STAMP.backupJob, jobId)) {
    removed.push(...(await settleVdi(connection, vdi, anchors?.has(vdi.record.uuid) === true)));
  }
  if (anchors !== null) {
    for (const vdi of await findStampedVdis(connection, STAMP.vault, vault.vaultId)) {
      const older =
        vdi.record.other_config[STAMP.vmUuid] === vmUuid && vdi.record.other_config[STAMP.backupJob] !== jobId;
      removed.push(...(older && vdi.record.is_a_snapshot ? await settleVdi(connection, vdi, false) : []));
    }
  }
  return removed;
}

async function settleVdi(connection: XapiConnection, { ref, record }: OwnVdi, isAnchor: boolean): Promise<string[]> {
  if (!record.is_a_snapshot || (isAnchor && record.type === 'cbt_metadata')) {
    return [];
  }
  if (isAnchor) {
    await dropVdiContent(connection, ref);
    return [`content of snapshot disk ${record.uuid}`];
  }
  await destroyVdi(connection, ref);
  return [`${record.type === 'cbt_metadata' ? 'anchor' : 'snapshot disk'} ${record.uuid}`];
}

import { isAppError } from '../kernel/errors.ts';
import type { Repository } from '../engine/index.ts';
import { epochMsOf } from '../xen/datetime.ts';
import { destroyVdi, dropVdiContent } from '../xen/destroy-vdi.ts';
import {
  destroySnapshotVm,
  findSnapshotVms,
  findStampedSnapshotVms,
  findStampedSnapshotVdis,
  type OwnVdi,
  releaseSnapshotVm,
} from '../xen/own-snapshots.ts';
import { releasePause } from '../xen/pause.ts';
import { STAMP } from '../xen/stamps.ts';
import { findVm } from '../xen/vm-disks.ts';
import type { XapiConnection } from '../xen/xapi-connection.ts';
import type { CleanUpBackupCommand, CleanUpResult } from './backup-commands.ts';
import { findBackupInfo } from './backup-info.ts';
import { endSession, sessionInClosedVault } from './end-session.ts';

type WithRepository = <T>(work: (repository: Repository) => Promise<T>) => Promise<T>;

/** Which of this job's snapshot disks stay as anchors, and whether this vault's older ones go. */
interface Verdict {
  readonly isAnchor: (vdi: OwnVdi) => boolean;
  /** When this job's snapshot was taken, by the pool's clock; null: nothing of other runs is touched. */
  readonly removesBefore: number | null;
}

/** What the restore point says of the pool. */
interface Anchors {
  readonly vdiUuids: ReadonlySet<string>;
  readonly takenAt: number;
}

/**
 * Leaves in the pool only what the next run needs. Whether the job succeeded isn't asked of the caller but of the
 * vault: with a committed point its tracked snapshots become anchors without data and this vault's older ones go;
 * without one, everything of this job goes and the older anchors stay. While the vault can't be asked the data goes
 * and every anchor stays, and the vault's error is thrown, so that this is tried again. `withRepository` is null where the
 * vault is closed for good: then everything goes. Safe to repeat, also when later
 * runs have begun or ended since: what is newer is theirs.
 */
export async function cleanUpBackup(
  connection: XapiConnection,
  withRepository: WithRepository | null,
  command: CleanUpBackupCommand,
): Promise<CleanUpResult> {
  await releaseVm(connection, command);
  if (withRepository === null) {
    // There will be no next run into this vault: nothing in the pool is of use to it.
    const removed = await cleanPool(connection, command, { isAnchor: () => false, removesBefore: Infinity });
    return { removed, left: [sessionInClosedVault(command.session.sessionId)] };
  }
  const { sessionId, restorePointId } = command.session;
  let asked: { readonly anchors: Anchors | null; readonly left: readonly string[] };
  try {
    asked = await withRepository(async (repository) => {
      const anchors = await findAnchors(repository, restorePointId);
      // Without a point the session ends first: from then on a writer that was only stopped can't commit one any more.
      return { anchors, left: anchors === null ? await endSession(repository, sessionId) : [] };
    });
  } catch (error) {
    await cleanPool(connection, command, { isAnchor: isTracked, removesBefore: null });
    throw error;
  }
  const { anchors, left } = asked;
  if (anchors === null) {
    return { removed: await cleanPool(connection, command, { isAnchor: () => false, removesBefore: null }), left };
  }
  const isAnchor = ({ record }: OwnVdi): boolean => anchors.vdiUuids.has(record.uuid);
  const removed = await cleanPool(connection, command, { isAnchor, removesBefore: anchors.takenAt });
  return { removed, left: await withRepository(async (repository) => endSession(repository, sessionId)) };
}

type StampedSnapshot = Pick<OwnVdi['record'], 'other_config' | 'snapshot_time'>;

function isTracked({ record }: OwnVdi): boolean {
  return record.cbt_enabled === true || record.type === 'cbt_metadata';
}

/** UUIDs of the snapshots that are bases for the next run; null where the point was not committed. */
async function findAnchors(repository: Repository, pointId: string): Promise<Anchors | null> {
  try {
    const { summary } = await repository.readPoint(pointId);
    const tracked = (findBackupInfo(summary)?.disks ?? []).filter((disk) => disk.tracked);
    return { vdiUuids: new Set(tracked.map((disk) => disk.snapshotVdiUuid)), takenAt: summary.takenAt };
  } catch (error) {
    if (isAppError(error, 'NO_RESTORE_POINT')) {
      return null;
    }
    throw error;
  }
}

async function releaseVm(connection: XapiConnection, { vmUuid, jobId }: CleanUpBackupCommand): Promise<void> {
  const vm = await findVm(connection, vmUuid);
  if (vm !== null) {
    await releasePause(connection, vm, jobId);
  }
}

async function cleanPool(
  connection: XapiConnection,
  command: CleanUpBackupCommand,
  { isAnchor, removesBefore }: Verdict,
): Promise<string[]> {
  const { jobId, vmUuid, vault } = command;
  const removed: string[] = [];
  const stamps = { [STAMP.backupJob]: jobId, [STAMP.vault]: vault.vaultId, [STAMP.vmUuid]: vmUuid };
  for (const snapshot of await findSnapshotVms(connection, command)) {
    await releaseSnapshotVm(connection, snapshot, stamps);
    removed.push(`snapshot ${snapshot.record.uuid}`);
  }
  for (const vdi of await findStampedSnapshotVdis(connection, STAMP.backupJob, jobId)) {
    removed.push(...(await settleVdi(connection, vdi, isAnchor(vdi))));
  }
  return removesBefore === null ? removed : [...removed, ...(await removeOlder(connection, command, removesBefore))];
}

/** Anchors of earlier runs into this vault, and what earlier runs that nobody cleaned up have left. */
async function removeOlder(
  connection: XapiConnection,
  { jobId, vmUuid, vault }: CleanUpBackupCommand,
  takenAt: number,
): Promise<string[]> {
  const removed: string[] = [];
  const isOlder = ({ other_config: stamps, snapshot_time: time }: StampedSnapshot): boolean =>
    stamps[STAMP.vault] === vault.vaultId &&
    stamps[STAMP.vmUuid] === vmUuid &&
    stamps[STAMP.backupJob] !== jobId &&
    epochMsOf(time) <= takenAt;
  for (const snapshot of await findStampedSnapshotVms(connection, vmUuid)) {
    if (isOlder(snapshot.record)) {
      await destroySnapshotVm(connection, snapshot);
      removed.push(`snapshot ${snapshot.record.uuid}`);
    }
  }
  for (const vdi of await findStampedSnapshotVdis(connection, STAMP.vault, vault.vaultId)) {
    removed.push(...(isOlder(vdi.record) ? await settleVdi(connection, vdi, false) : []));
  }
  return removed;
}

async function settleVdi(connection: XapiConnection, { ref, record }: OwnVdi, isAnchor: boolean): Promise<string[]> {
  if (isAnchor && record.type === 'cbt_metadata') {
    return [];
  }
  if (isAnchor) {
    await dropVdiContent(connection, ref);
    return [`content of snapshot disk ${record.uuid}`];
  }
  await destroyVdi(connection, ref);
  return [`${record.type === 'cbt_metadata' ? 'anchor' : 'snapshot disk'} ${record.uuid}`];
}

import { isAppError } from '../kernel/errors.ts';
import type { ByteRange, Repository } from '../engine/index.ts';
import { listChangedBlocks } from '../xen/changed-blocks.ts';
import type { PoolCapabilities } from '../xen/model.ts';
import type { XapiConnection } from '../xen/xapi-connection.ts';
import { isObjectGone } from '../xen/xapi-errors.ts';
import type { FullReadReason } from './backup-commands.ts';
import { type BackupInfo, type DiskInfo, findBackupInfo } from './backup-info.ts';

/** The base of a run as the vault knows it, or why there is none. */
export type Base =
  | { readonly pointId: string; readonly info: BackupInfo; readonly lost: null }
  | { readonly pointId: null; readonly info: null; readonly lost: 'FIRST_BACKUP' | 'BASE_RESTORE_POINT_LOST' };

export async function readBase(repository: Repository, pointId: string | null): Promise<Base> {
  if (pointId === null) {
    return { pointId: null, info: null, lost: 'FIRST_BACKUP' };
  }
  try {
    const info = findBackupInfo((await repository.readPoint(pointId)).summary);
    if (info !== null) {
      return { pointId, info, lost: null };
    }
  } catch (error) {
    // A base that is damaged or gone costs a full read and is named; it never stops the backup.
    if (!isAppError(error, 'NO_RESTORE_POINT', 'VAULT_CORRUPT', 'VAULT_OBJECT_MISSING')) {
      throw error;
    }
  }
  return { pointId: null, info: null, lost: 'BASE_RESTORE_POINT_LOST' };
}

export interface DiskToRead {
  readonly vdiUuid: string;
  readonly sizeBytes: number;
  readonly srUuid: string;
  /** Changes of it are tracked at this moment. */
  readonly tracked: boolean;
}

export interface TrackingRules {
  readonly wanted: boolean;
  readonly capabilities: Pick<PoolCapabilities, 'changedBlocksLicensed' | 'changedBlocksSrs'>;
}

export type Choice =
  | { readonly anchor: DiskInfo; readonly reason: null }
  | { readonly anchor: null; readonly reason: FullReadReason };

/** What can be decided from records alone. The order is that of what a user would mend first. */
export function choosePath(base: Base, disk: DiskToRead, rules: TrackingRules): Choice {
  const full = (reason: FullReadReason): Choice => ({ anchor: null, reason });
  if (base.lost !== null) {
    return full(base.lost);
  }
  const barrier = trackingBarrier(disk, rules);
  if (barrier !== null) {
    return full(barrier);
  }
  const anchor = base.info.disks.find((each) => each.vdiUuid === disk.vdiUuid);
  if (anchor === undefined) {
    return full('NEW_DISK');
  }
  if (!anchor.tracked) {
    return full('TRACKING_JUST_ENABLED');
  }
  if (!disk.tracked) {
    return full('TRACKING_CHAIN_LOST');
  }
  return disk.sizeBytes < anchor.sizeBytes ? full('DISK_SHRUNK') : { anchor, reason: null };
}

function trackingBarrier(disk: DiskToRead, { wanted, capabilities }: TrackingRules): FullReadReason | null {
  if (!wanted) {
    return 'TRACKING_NOT_WANTED';
  }
  if (!capabilities.changedBlocksLicensed) {
    return 'TRACKING_NOT_LICENSED';
  }
  return capabilities.changedBlocksSrs.includes(disk.srUuid) ? null : 'TRACKING_NOT_SUPPORTED';
}

/** Asks the pool for the changes since the anchor; where it can't tell, the reason for a full read. */
export async function listChangesSince(
  connection: XapiConnection,
  anchor: DiskInfo,
  snapshot: { readonly vdiUuid: string; readonly sizeBytes: number },
  signal: AbortSignal,
): Promise<{ readonly changed: ByteRange[] } | { readonly reason: FullReadReason }> {
  const fromRef = await findRef(connection, anchor.snapshotVdiUuid, signal);
  if (fromRef === null) {
    return { reason: 'BASE_SNAPSHOT_LOST' };
  }
  const toRef = await connection.getRefByUuid('VDI', snapshot.vdiUuid, signal);
  try {
    return {
      changed: await listChangedBlocks(connection, { fromRef, toRef, sizeBytes: snapshot.sizeBytes }, signal),
    };
  } catch (error) {
    if (isAppError(error, 'CHANGED_BLOCKS_UNAVAILABLE')) {
      return { reason: 'TRACKING_CHAIN_LOST' };
    }
    if (isAppError(error, 'LICENCE_RESTRICTION')) {
      return { reason: 'TRACKING_NOT_LICENSED' };
    }
    throw error;
  }
}

export async function findRef(
  connection: XapiConnection,
  vdiUuid: string,
  signal?: AbortSignal,
): Promise<string | null> {
  try {
    return await connection.getRefByUuid('VDI', vdiUuid, signal);
  } catch (error) {
    if (isObjectGone(error)) {
      return null;
    }
    throw error;
  }
}

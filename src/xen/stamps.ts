import type { XapiConnection } from './xapi-connection.ts';
import { xapiCodeOf } from './xapi-errors.ts';

/** Keys in `other_config` that prove what is ours. */
export const STAMP = {
  /** Job that made a snapshot (VM and disks). */
  backupJob: 'holdfast.backup_job',
  vault: 'holdfast.vault',
  vmUuid: 'holdfast.vm',
  consistency: 'holdfast.consistency',
  /** The stamped object's own UUID: snapshots, clones and reverts copy `other_config`, and a copy isn't ours. */
  of: 'holdfast.of',
  /** Job for which a running VM is paused at this moment. */
  pausedBy: 'holdfast.paused_by',
  /** Job that is restoring this VM or disk; gone once it is finished. */
  restoreJob: 'holdfast.restore_job',
  /** The VM has all its devices. */
  restoreBuilt: 'holdfast.restore_built',
  diskKey: 'holdfast.disk',
} as const;

export function isStampKey(key: string): boolean {
  return key.startsWith('holdfast.');
}

/** Whether the stamps were set on this object, and not copied from another one with its `other_config`. */
export function isStampedItself(record: {
  readonly uuid: string;
  readonly other_config: Readonly<Record<string, string>>;
}): boolean {
  return record.other_config[STAMP.of] === record.uuid;
}

/** Sets keys of `other_config`; what other products keep there stays. */
export async function setStamps(
  connection: XapiConnection,
  object: { readonly className: 'VM' | 'VDI'; readonly ref: string },
  stamps: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [key, value] of Object.entries(stamps)) {
    await removeStamp(connection, object, key);
    try {
      await connection.call(`${object.className}.add_to_other_config`, [object.ref, key, value]);
    } catch (error) {
      if (xapiCodeOf(error) !== 'MAP_DUPLICATE_KEY') {
        throw error;
      }
    }
  }
}

export async function removeStamp(
  connection: XapiConnection,
  object: { readonly className: 'VM' | 'VDI'; readonly ref: string },
  key: string,
): Promise<void> {
  await connection.call(`${object.className}.remove_from_other_config`, [object.ref, key]);
}

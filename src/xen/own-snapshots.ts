import type { VDIRecord } from './generated/records.ts';
import { destroyVdi } from './destroy-vdi.ts';
import { isStampedItself, setStamps, STAMP } from './stamps.ts';
import { findVm, type FoundVm, listVmDevices } from './vm-disks.ts';
import type { XapiConnection } from './xapi-connection.ts';
import { isObjectGone } from './xapi-errors.ts';

export interface OwnSnapshotsQuery {
  readonly vmUuid: string;
  readonly snapshotName: string;
  readonly jobId: string;
}

export interface OwnVdi {
  readonly ref: string;
  readonly record: VDIRecord;
}

/**
 * Snapshots of this job. Ours by proof: the exact random name together with `snapshot_of`, or our stamp; a snapshot
 * whose VM is gone is recognised by its stamp alone.
 */
export async function findSnapshotVms(
  connection: XapiConnection,
  { vmUuid, snapshotName, jobId }: OwnSnapshotsQuery,
  signal?: AbortSignal,
): Promise<FoundVm[]> {
  const refs = await connection.call('VM.get_by_name_label', [snapshotName], signal);
  const found: FoundVm[] = [];
  for (const ref of Array.isArray(refs) ? refs.map(String) : []) {
    const record = await connection.getRecord('VM', ref, signal);
    const stamped = isStampedItself(record) && record.other_config[STAMP.backupJob] === jobId;
    if (record.is_a_snapshot && (stamped || (await uuidOf(connection, record.snapshot_of)) === vmUuid)) {
      found.push({ ref, record });
    }
  }
  return found;
}

/** Snapshots of this VM that carry a stamp of ours, of whatever job; none where the VM is gone. */
export async function findStampedSnapshotVms(connection: XapiConnection, vmUuid: string): Promise<FoundVm[]> {
  const vm = await findVm(connection, vmUuid);
  const snapshots = await Promise.all(
    (vm?.record.snapshots ?? []).map(async (ref) => ({ ref, record: await connection.getRecord('VM', ref) })),
  );
  return snapshots.filter(({ record }) => isStampedItself(record) && STAMP.backupJob in record.other_config);
}

/** Stamps the snapshot's disks as this job's, so that they're found again, and destroys the snapshot; the disks stay. */
export async function releaseSnapshotVm(
  connection: XapiConnection,
  snapshot: FoundVm,
  stamps: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<void> {
  const { disks } = await listVmDevices(connection, snapshot.record, signal);
  for (const { vdiRef, vdi } of disks) {
    await setStamps(connection, { className: 'VDI', ref: vdiRef }, { ...stamps, [STAMP.of]: vdi.uuid });
  }
  await destroyVm(connection, snapshot.ref);
}

/** Destroys a snapshot with its disks. */
export async function destroySnapshotVm(
  connection: XapiConnection,
  snapshot: FoundVm,
  signal?: AbortSignal,
): Promise<void> {
  const { disks } = await listVmDevices(connection, snapshot.record, signal);
  await destroyVm(connection, snapshot.ref);
  for (const { vdiRef } of disks) {
    await destroyVdi(connection, vdiRef, signal);
  }
}

/** Snapshot disks that were stamped so by us. One call for the whole table: for clean-up only. */
export async function findStampedSnapshotVdis(
  connection: XapiConnection,
  key: string,
  value: string,
): Promise<OwnVdi[]> {
  const stamped = await findStampedVdis(connection, key, value);
  return stamped.filter(({ record }) => record.is_a_snapshot && isStampedItself(record));
}

/** All disks that carry this stamp with this value. One call for the whole table: for clean-up only. */
export async function findStampedVdis(
  connection: XapiConnection,
  key: string,
  value: string,
  signal?: AbortSignal,
): Promise<OwnVdi[]> {
  const all = await connection.getAllRecords('VDI', signal);
  return [...all].filter(([, record]) => record.other_config[key] === value).map(([ref, record]) => ({ ref, record }));
}

/** Gone already is fine. */
export async function destroyVm(connection: XapiConnection, ref: string): Promise<void> {
  try {
    await connection.call('VM.destroy', [ref]);
  } catch (error) {
    if (!isObjectGone(error)) {
      throw error;
    }
  }
}

async function uuidOf(connection: XapiConnection, vmRef: string): Promise<string | null> {
  try {
    return await connection.callForString('VM.get_uuid', [vmRef]);
  } catch (error) {
    if (isObjectGone(error)) {
      return null;
    }
    throw error;
  }
}

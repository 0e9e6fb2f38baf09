import { AppError } from '../kernel/errors.ts';
import { unblockStart } from './create-vm.ts';
import { destroyVdi } from './destroy-vdi.ts';
import type { VDIRecord } from './generated/records.ts';
import { destroyVm, findStampedVdis } from './own-snapshots.ts';
import { removeImportTasks } from './raw-import.ts';
import { removeStamp, STAMP } from './stamps.ts';
import { type FoundVm, getVm, listVmDevices } from './vm-disks.ts';
import type { XapiConnection } from './xapi-connection.ts';
import { isObjectGone } from './xapi-errors.ts';

/** VMs that this job is restoring and hasn't finished. One call for the whole table. */
export async function findNewVms(connection: XapiConnection, jobId: string, signal?: AbortSignal): Promise<FoundVm[]> {
  const all = await connection.getAllRecords('VM', signal);
  return [...all]
    .filter(([, record]) => record.other_config[STAMP.restoreJob] === jobId && !record.is_a_snapshot)
    .map(([ref, record]) => ({ ref, record }));
}

/** The VM is the user's from here on: it can be started, and clean-up no longer knows it. Safe to repeat. */
export async function finishNewVm(connection: XapiConnection, jobId: string, vmUuid: string): Promise<FoundVm> {
  const vm = await getVm(connection, vmUuid);
  const owner = vm.record.other_config[STAMP.restoreJob];
  if (owner !== undefined && owner !== jobId) {
    throw new AppError('JOB_STATE_CONFLICT', `The VM ${vmUuid} belongs to another restore.`);
  }
  await unblockStart(connection, vm.ref);
  await removeStamp(connection, { className: 'VM', ref: vm.ref }, STAMP.restoreBuilt);
  await removeStamp(connection, { className: 'VM', ref: vm.ref }, STAMP.restoreJob);
  // The disks come after their VM: a stamped disk of a VM that is finished is left alone by removeNewVm.
  const { disks } = await listVmDevices(connection, vm.record);
  for (const { vdiRef } of disks) {
    await removeStamp(connection, { className: 'VDI', ref: vdiRef }, STAMP.restoreJob);
    await removeStamp(connection, { className: 'VDI', ref: vdiRef }, STAMP.diskKey);
  }
  return getVm(connection, vmUuid);
}

/** Removes what an unfinished restore has made: its VM, its disks. Returns what was removed. Safe to repeat. */
export async function removeNewVm(connection: XapiConnection, jobId: string, signal?: AbortSignal): Promise<string[]> {
  const removed: string[] = [];
  await removeImportTasks(connection, jobId);
  for (const vm of await findNewVms(connection, jobId, signal)) {
    await destroyVm(connection, vm.ref);
    removed.push(`VM ${vm.record.uuid}`);
  }
  for (const { ref, record } of await findStampedVdis(connection, STAMP.restoreJob, jobId, signal)) {
    if (!(await belongsToVm(connection, record))) {
      await destroyVdi(connection, ref, signal);
      removed.push(`disk ${record.uuid}`);
    }
  }
  return removed;
}

/** A control domain's attachment is an import that is still ending; any other one is somebody's VM. */
async function belongsToVm(connection: XapiConnection, vdi: VDIRecord): Promise<boolean> {
  for (const vbdRef of vdi.VBDs) {
    try {
      const { VM } = await connection.getRecord('VBD', vbdRef);
      if (!(await connection.getRecord('VM', VM)).is_control_domain) {
        return true;
      }
    } catch (error) {
      if (!isObjectGone(error)) {
        throw error;
      }
    }
  }
  return false;
}

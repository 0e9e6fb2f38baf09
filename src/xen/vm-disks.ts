import { AppError, isAppError } from '../kernel/errors.ts';
import type { SRRecord, VBDRecord, VDIRecord, VMRecord } from './generated/records.ts';
import { isDisk } from './read-inventory.ts';
import type { XapiConnection } from './xapi-connection.ts';
import { xapiCodeOf } from './xapi-errors.ts';
import { isRef } from './xapi-records.ts';

export interface FoundVm {
  readonly ref: string;
  readonly record: VMRecord;
}
export interface VmDisk {
  readonly vbd: VBDRecord;
  readonly vdiRef: string;
  readonly vdi: VDIRecord;
  readonly sr: SRRecord;
}
export interface VmDevices {
  readonly disks: readonly VmDisk[];
  readonly skipped: readonly { readonly device: string; readonly type: string; readonly reason: string }[];
}

/** Looks a VM up where it is now. Throws VM_GONE. */
export async function getVm(connection: XapiConnection, vmUuid: string, signal?: AbortSignal): Promise<FoundVm> {
  try {
    const ref = await connection.getRefByUuid('VM', vmUuid, signal);
    return { ref, record: await connection.getRecord('VM', ref, signal) };
  } catch (error) {
    const code = xapiCodeOf(error);
    if (code === 'UUID_INVALID' || code === 'HANDLE_INVALID' || isAppError(error, 'VM_GONE')) {
      throw new AppError('VM_GONE', `The VM ${vmUuid} is no longer in its pool.`, { data: { vmUuid }, cause: error });
    }
    throw error;
  }
}

export async function findVm(connection: XapiConnection, vmUuid: string): Promise<FoundVm | null> {
  try {
    return await getVm(connection, vmUuid);
  } catch (error) {
    if (isAppError(error, 'VM_GONE')) {
      return null;
    }
    throw error;
  }
}

/** The VM's disks in the order of its bus, and what of its devices isn't backed up, with the reason. */
export async function listVmDevices(
  connection: XapiConnection,
  vm: VMRecord,
  signal?: AbortSignal,
): Promise<VmDevices> {
  const vbds = await Promise.all(vm.VBDs.map(async (ref) => connection.getRecord('VBD', ref, signal)));
  const candidates = vbds.filter((vbd) => isDisk(vbd) && isRef(vbd.VDI));
  const disks = await Promise.all(
    candidates.map(async (vbd) => {
      const vdi = await connection.getRecord('VDI', vbd.VDI, signal);
      return { vbd, vdiRef: vbd.VDI, vdi, sr: await connection.getRecord('SR', vdi.SR, signal) };
    }),
  );
  disks.sort((a, b) => Number(a.vbd.userdevice) - Number(b.vbd.userdevice));
  const skipped = vbds
    .filter((vbd) => !candidates.includes(vbd))
    .map((vbd) => ({
      device: vbd.userdevice,
      type: vbd.type,
      reason: vbd.empty ? 'The drive is empty.' : `A device of type ${vbd.type} holds no data of the VM.`,
    }));
  return { disks, skipped };
}

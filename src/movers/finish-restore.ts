import { finishNewVm } from '../xen/new-vm.ts';
import { listVmDevices } from '../xen/vm-disks.ts';
import type { XapiConnection } from '../xen/xapi-connection.ts';
import type { FinishedRestore, FinishRestoreCommand } from './restore-commands.ts';

/** Hands the VM over, switched off. From here on clean-up of the job leaves it alone. Safe to repeat. */
export async function finishRestore(
  connection: XapiConnection,
  { jobId, vmUuid }: FinishRestoreCommand,
): Promise<FinishedRestore> {
  const { record } = await finishNewVm(connection, jobId, vmUuid);
  const { disks } = await listVmDevices(connection, record);
  return {
    vmUuid,
    vmName: record.name_label,
    powerState: record.power_state,
    interfaces: await Promise.all(
      record.VIFs.map(async (ref) => {
        const vif = await connection.getRecord('VIF', ref);
        const network = await connection.getRecord('network', vif.network);
        return { device: vif.device, mac: vif.MAC, networkUuid: network.uuid };
      }),
    ),
    disks: disks.map(({ vbd, vdi }) => ({ device: vbd.userdevice, vdiUuid: vdi.uuid })),
  };
}

import { AppError } from '../kernel/errors.ts';
import type { Repository } from '../engine/index.ts';
import { readCapabilities } from '../xen/capabilities.ts';
import { getVm, listVmDevices, type VmDisk } from '../xen/vm-disks.ts';
import type { XapiConnection } from '../xen/xapi-connection.ts';
import type { BackupPlan, FullReadReason, PlanBackupCommand, PlannedDisk } from './backup-commands.ts';
import { type Base, choosePath, findRef, readBase, type TrackingRules } from './choose-path.ts';

/** Finds the VM and says for each disk how it will be read, and why not better. Changes nothing. */
export async function planBackup(
  connection: XapiConnection,
  repository: Repository,
  command: PlanBackupCommand,
  signal: AbortSignal,
): Promise<BackupPlan> {
  const vm = await getVm(connection, command.vmUuid, signal);
  const [{ disks, skipped }, capabilities, base] = await Promise.all([
    listVmDevices(connection, vm.record, signal),
    readCapabilities(connection, signal),
    readBase(repository, command.baseRestorePointId),
  ]);
  if (disks.length === 0) {
    throw new AppError('METHOD_NOT_SUPPORTED', `The VM ${vm.record.name_label} has no disk to back up.`);
  }
  if (capabilities.nbd === 'NONE') {
    throw new AppError('NBD_UNAVAILABLE', 'No network of the pool has the purpose nbd or insecure_nbd.');
  }
  const rules: TrackingRules = { wanted: command.changedBlocks, capabilities };
  const planned = await Promise.all(disks.map(async (disk) => planDisk(connection, disk, base, rules)));
  return {
    vmUuid: vm.record.uuid,
    vmName: vm.record.name_label,
    powerState: vm.record.power_state,
    baseRestorePointId: base.pointId,
    disks: planned,
    skipped,
    totalBytes: planned.reduce((sum, disk) => sum + disk.sizeBytes, 0),
    warnings: warningsOf(planned),
  };
}

async function planDisk(
  connection: XapiConnection,
  { vdi, vbd, sr }: VmDisk,
  base: Base,
  rules: TrackingRules,
): Promise<PlannedDisk> {
  const choice = choosePath(
    base,
    { vdiUuid: vdi.uuid, sizeBytes: vdi.virtual_size, srUuid: sr.uuid, tracked: vdi.cbt_enabled ?? false },
    rules,
  );
  const anchorGone = choice.anchor !== null && (await findRef(connection, choice.anchor.snapshotVdiUuid)) === null;
  const reason: FullReadReason | null = anchorGone ? 'BASE_SNAPSHOT_LOST' : choice.reason;
  return {
    vdiUuid: vdi.uuid,
    name: vdi.name_label,
    device: vbd.userdevice,
    sizeBytes: vdi.virtual_size,
    srUuid: sr.uuid,
    path: reason === null ? 'CHANGED_BLOCKS_NBD' : 'FULL_NBD',
    reason,
  };
}

const EXPECTED = new Set<FullReadReason>(['FIRST_BACKUP', 'NEW_DISK', 'TRACKING_NOT_WANTED']);

function warningsOf(disks: readonly PlannedDisk[]): string[] {
  return disks
    .filter(({ reason }) => reason !== null && !EXPECTED.has(reason))
    .map(({ name, device, reason }) => `Disk ${device} (${name}) is read in full: ${reason}.`);
}

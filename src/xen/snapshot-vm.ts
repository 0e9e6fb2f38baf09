import { AppError, isAppError } from '../kernel/errors.ts';
import { epochMsOf, isoOf } from './datetime.ts';
import type { DiskSummary } from './model.ts';
import { withPaused } from './pause.ts';
import { destroySnapshotVm, findSnapshotVms } from './own-snapshots.ts';
import { toDisk } from './read-inventory.ts';
import { setStamps, STAMP } from './stamps.ts';
import { runTask } from './task.ts';
import { type FoundVm, getVm, listVmDevices, type VmDevices } from './vm-disks.ts';
import type { XapiConnection } from './xapi-connection.ts';
import { xapiCodeOf } from './xapi-errors.ts';

export type Consistency = 'CRASH_PER_DISK' | 'CRASH' | 'POWERED_OFF';

export interface SnapshotRequest {
  readonly vmUuid: string;
  /** Random, and written down by the caller before: an exact name is proof that a snapshot is ours. */
  readonly snapshotName: string;
  readonly jobId: string;
  readonly vaultId: string;
  readonly changedBlocks: boolean;
  readonly pauseForConsistency: boolean;
}

export interface VmSnapshot {
  readonly snapshotVmUuid: string;
  readonly vmUuid: string;
  readonly vmName: string;
  readonly consistency: Consistency;
  /** ISO 8601, by the pool's clock. */
  readonly takenAt: string;
  readonly disks: readonly (DiskSummary & { readonly snapshotVdiUuid: string; readonly tracked: boolean })[];
  readonly skipped: VmDevices['skipped'];
}

/**
 * Snapshots a VM and stamps what came out. Called again it returns the snapshot of the first time, where that one was
 * stamped; a half-made one is removed and made anew. Throws VM_GONE, SR_FULL, SNAPSHOT_CHAIN_TOO_LONG and others.
 */
export async function snapshotVm(
  connection: XapiConnection,
  request: SnapshotRequest,
  signal?: AbortSignal,
): Promise<VmSnapshot> {
  const vm = await getVm(connection, request.vmUuid, signal);
  for (const found of await findSnapshotVms(connection, request, signal)) {
    const consistency = found.record.other_config[STAMP.consistency] as Consistency | undefined;
    if (consistency !== undefined) {
      return describe(connection, vm, found, signal);
    }
    await destroySnapshotVm(connection, found, signal);
  }
  const devices = await listVmDevices(connection, vm.record, signal);
  if (devices.disks.length === 0) {
    throw new AppError('METHOD_NOT_SUPPORTED', `The VM ${vm.record.name_label} has no disk to back up.`);
  }
  if (request.changedBlocks) {
    await enableTracking(connection, devices, signal);
  }
  const { ref, consistency } = await take(connection, vm, devices, request, signal);
  const stamped = { ref, record: await connection.getRecord('VM', ref) };
  await stampSnapshot(connection, stamped, request, consistency);
  return describe(connection, vm, { ref, record: await connection.getRecord('VM', ref) }, signal);
}

async function take(
  connection: XapiConnection,
  vm: FoundVm,
  devices: VmDevices,
  request: SnapshotRequest,
  signal: AbortSignal | undefined,
): Promise<{ readonly ref: string; readonly consistency: Consistency }> {
  const snapshot = async (): Promise<string> =>
    runTask(connection, 'VM.snapshot', [vm.ref, request.snapshotName], signal);
  const running = vm.record.power_state === 'Running';
  if (!running || devices.disks.length === 1) {
    return { ref: await snapshot(), consistency: vm.record.power_state === 'Halted' ? 'POWERED_OFF' : 'CRASH' };
  }
  if (!request.pauseForConsistency) {
    return { ref: await snapshot(), consistency: 'CRASH_PER_DISK' };
  }
  return { ref: await withPaused(connection, vm, request.jobId, snapshot), consistency: 'CRASH' };
}

/** Where a disk can't be tracked the backup goes on without; `tracked` of the snapshot says so. */
async function enableTracking(
  connection: XapiConnection,
  { disks }: VmDevices,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { vdiRef } of disks.filter(({ vdi }) => vdi.cbt_enabled !== true)) {
    try {
      await connection.call('VDI.enable_cbt', [vdiRef], signal);
    } catch (error) {
      if (isAppError(error, 'CANCELLED', 'POOL_UNREACHABLE') || xapiCodeOf(error) === undefined) {
        throw error;
      }
    }
  }
}

async function stampSnapshot(
  connection: XapiConnection,
  snapshot: FoundVm,
  request: SnapshotRequest,
  consistency: Consistency,
): Promise<void> {
  const stamps = {
    [STAMP.backupJob]: request.jobId,
    [STAMP.vault]: request.vaultId,
    [STAMP.vmUuid]: request.vmUuid,
  };
  const { disks } = await listVmDevices(connection, snapshot.record);
  await Promise.all(
    disks.map(async ({ vdiRef, vdi }) =>
      setStamps(connection, { className: 'VDI', ref: vdiRef }, { ...stamps, [STAMP.of]: vdi.uuid }),
    ),
  );
  // Last, for it says that the stamping is complete.
  const ofVm = { ...stamps, [STAMP.of]: snapshot.record.uuid, [STAMP.consistency]: consistency };
  await setStamps(connection, { className: 'VM', ref: snapshot.ref }, ofVm);
}

async function describe(
  connection: XapiConnection,
  vm: FoundVm,
  snapshot: FoundVm,
  signal: AbortSignal | undefined,
): Promise<VmSnapshot> {
  const { disks, skipped } = await listVmDevices(connection, snapshot.record, signal);
  return {
    snapshotVmUuid: snapshot.record.uuid,
    vmUuid: vm.record.uuid,
    vmName: vm.record.name_label,
    consistency: snapshot.record.other_config[STAMP.consistency] as Consistency,
    takenAt: isoOf(epochMsOf(snapshot.record.snapshot_time)),
    disks: await Promise.all(
      disks.map(async ({ vbd, vdi, sr }) => {
        const source = await connection.getRecord('VDI', vdi.snapshot_of, signal);
        return {
          ...toDisk(vbd, vdi, sr.uuid),
          vdiUuid: source.uuid,
          name: source.name_label,
          snapshotVdiUuid: vdi.uuid,
          tracked: vdi.cbt_enabled ?? false,
        };
      }),
    ),
    skipped,
  };
}

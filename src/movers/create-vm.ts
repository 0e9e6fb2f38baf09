import { AppError } from '../kernel/errors.ts';
import type { Repository } from '../engine/index.ts';
import { createNewVm } from '../xen/create-vm.ts';
import { findNewVms, removeNewVm } from '../xen/new-vm.ts';
import { STAMP } from '../xen/stamps.ts';
import { type FoundVm, listVmDevices } from '../xen/vm-disks.ts';
import type { VmConfig } from '../xen/vm-config.ts';
import type { XapiConnection } from '../xen/xapi-connection.ts';
import { networkUuidOf, srUuidOf, toRestoreDisks } from './placement.ts';
import { readConfig } from './plan-restore.ts';
import type { CreatedVm, CreateVmCommand } from './restore-commands.ts';
import { beginRestore } from './restore-session.ts';

/** Makes the VM with empty disks, or finds the one that this job has made before; a half-made one is made anew. */
export async function createVm(
  connection: XapiConnection,
  repository: Repository,
  command: CreateVmCommand,
  signal: AbortSignal,
): Promise<CreatedVm> {
  const { jobId, placement } = command;
  await beginRestore(repository, jobId, command.restorePointId);
  const config = await readConfig(repository, command.restorePointId);
  const vmName = command.name ?? config.vm.name_label;
  const [existing] = await findNewVms(connection, jobId, signal);
  if (existing?.record.other_config[STAMP.restoreBuilt] === 'true') {
    const vdiUuids = await readDiskKeys(connection, existing, signal);
    return toCreated({ vmUuid: existing.record.uuid, vmName, config, vdiUuids }, command);
  }
  if (existing !== undefined) {
    await removeNewVm(connection, jobId, signal);
  }
  const made = await createNewVm(
    connection,
    {
      config,
      jobId,
      name: vmName,
      srOf: (disk) => srUuidOf(placement, disk),
      networkOf: (vif) => networkUuidOf(placement, vif),
    },
    signal,
  );
  const vdiUuids = new Map(made.disks.map(({ disk, vdiUuid }) => [disk.diskKey, vdiUuid]));
  return toCreated({ vmUuid: made.vmUuid, vmName, config, vdiUuids }, command);
}

async function readDiskKeys(
  connection: XapiConnection,
  vm: FoundVm,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const { disks } = await listVmDevices(connection, vm.record, signal);
  return new Map(disks.map(({ vdi }) => [vdi.other_config[STAMP.diskKey] ?? '', vdi.uuid]));
}

interface Made {
  readonly vmUuid: string;
  readonly vmName: string;
  readonly config: VmConfig;
  readonly vdiUuids: ReadonlyMap<string, string>;
}

function toCreated({ vmUuid, vmName, config, vdiUuids }: Made, { placement }: CreateVmCommand): CreatedVm {
  return {
    vmUuid,
    vmName,
    disks: toRestoreDisks(config, placement).map((disk) => {
      const vdiUuid = vdiUuids.get(disk.diskKey);
      if (vdiUuid === undefined) {
        throw new AppError('JOB_STATE_CONFLICT', `The VM ${vmUuid} lacks the disk ${disk.device} that it was given.`);
      }
      return { ...disk, vdiUuid };
    }),
  };
}

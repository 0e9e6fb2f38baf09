import { randomUUID } from 'node:crypto';
import { setStamps, STAMP } from './stamps.ts';
import type { ConfiguredDisk, ConfiguredInterface, VmConfig } from './vm-config.ts';
import type { XapiConnection } from './xapi-connection.ts';
import { isObjectGone, xapiCodeOf } from './xapi-errors.ts';
import { NULL_REF } from './xapi-records.ts';

export interface NewVmRequest {
  readonly config: VmConfig;
  readonly jobId: string;
  readonly name: string;
  /** SR's UUID for each disk. */
  readonly srOf: (disk: ConfiguredDisk) => string;
  /** Network's UUID for each interface; null leaves it out. */
  readonly networkOf: (vif: ConfiguredInterface) => string | null;
}

export interface NewDisk {
  readonly disk: ConfiguredDisk;
  readonly vdiUuid: string;
}

const START_OPERATIONS = ['start', 'start_on'] as const;
const BLOCKED_REASON = 'A restore is filling its disks.';

/**
 * Creates a halted VM with a new identity (UUIDs, MACs) and new, empty disks. It can't be started until
 * `finishNewVm`. Everything carries the job's stamp from the first call on, so that `removeNewVm` finds it.
 */
export async function createNewVm(
  connection: XapiConnection,
  request: NewVmRequest,
  signal?: AbortSignal,
): Promise<{ readonly vmUuid: string; readonly disks: readonly NewDisk[] }> {
  const vmRef = await connection.callForString('VM.create', [toVmRecord(request)], signal);
  await connection.call('VM.set_blocked_operations', [
    vmRef,
    Object.fromEntries(START_OPERATIONS.map((operation) => [operation, BLOCKED_REASON])),
  ]);
  await setBiosStrings(connection, vmRef, request.config, signal);
  const disks: NewDisk[] = [];
  for (const disk of request.config.disks) {
    disks.push({ disk, vdiUuid: await addDisk(connection, vmRef, request, disk, signal) });
  }
  for (const device of request.config.cdDrives) {
    await connection.call('VBD.create', [emptyCdDrive(vmRef, device)], signal);
  }
  for (const vif of request.config.interfaces) {
    const networkUuid = request.networkOf(vif);
    if (networkUuid !== null) {
      const network = await connection.getRefByUuid('network', networkUuid, signal);
      await connection.call('VIF.create', [toVif(vmRef, network, vif)], signal);
    }
  }
  await setStamps(connection, { className: 'VM', ref: vmRef }, { [STAMP.restoreBuilt]: 'true' });
  return { vmUuid: await connection.callForString('VM.get_uuid', [vmRef], signal), disks };
}

/** Opens the VM for starting. Returns where it is already open. */
export async function unblockStart(connection: XapiConnection, vmRef: string): Promise<void> {
  for (const operation of START_OPERATIONS) {
    await connection.call('VM.remove_from_blocked_operations', [vmRef, operation]);
  }
  try {
    await connection.call('VM.update_allowed_operations', [vmRef]);
  } catch (error) {
    // Only a hint for other clients; XAPI checks again at each operation.
    if (xapiCodeOf(error) === undefined) {
      throw error;
    }
  }
}

function toVmRecord({ config, jobId, name }: NewVmRequest): Record<string, unknown> {
  const { bios_strings: _, ...fields } = config.vm;
  const { mac_seed: __, ...otherConfig } = fields.other_config;
  return {
    ...fields,
    name_label: name,
    other_config: { ...otherConfig, mac_seed: randomUUID(), [STAMP.restoreJob]: jobId },
    is_a_template: false,
    affinity: NULL_REF,
    ha_always_run: false,
    ha_restart_priority: '',
    suspend_SR: NULL_REF,
    appliance: NULL_REF,
    version: 0,
  };
}

/** They can be set once, before the first start; the source's are kept, so that licences bound to them stay valid. */
async function setBiosStrings(
  connection: XapiConnection,
  vmRef: string,
  { vm }: VmConfig,
  signal: AbortSignal | undefined,
): Promise<void> {
  const settable = Object.entries(vm.bios_strings).filter(
    ([key, value]) => SETTABLE_BIOS_STRINGS.has(key) && value !== '',
  );
  if (settable.length === 0) {
    return;
  }
  try {
    await connection.call('VM.set_bios_strings', [vmRef, Object.fromEntries(settable)], signal);
  } catch (error) {
    // A VM that boots with the pool's own strings is better than none.
    if (xapiCodeOf(error) === undefined || isObjectGone(error)) {
      throw error;
    }
  }
}

const SETTABLE_BIOS_STRINGS = new Set([
  'bios-vendor',
  'bios-version',
  'system-manufacturer',
  'system-product-name',
  'system-version',
  'system-serial-number',
  'enclosure-asset-tag',
  'baseboard-manufacturer',
  'baseboard-product-name',
  'baseboard-version',
  'baseboard-serial-number',
  'baseboard-asset-tag',
  'baseboard-location-in-chassis',
]);

async function addDisk(
  connection: XapiConnection,
  vmRef: string,
  request: NewVmRequest,
  disk: ConfiguredDisk,
  signal: AbortSignal | undefined,
): Promise<string> {
  const sr = await connection.getRefByUuid('SR', request.srOf(disk), signal);
  const vdiRef = await connection.callForString(
    'VDI.create',
    [
      {
        name_label: disk.name,
        name_description: disk.description,
        SR: sr,
        virtual_size: disk.sizeBytes,
        type: 'user',
        sharable: false,
        read_only: false,
        other_config: {
          ...disk.vdiOtherConfig,
          [STAMP.restoreJob]: request.jobId,
          [STAMP.diskKey]: disk.diskKey,
        },
        xenstore_data: {},
        sm_config: {},
        tags: disk.tags,
      },
    ],
    signal,
  );
  await connection.call(
    'VBD.create',
    [
      {
        VM: vmRef,
        VDI: vdiRef,
        device: '',
        userdevice: disk.device,
        bootable: disk.bootable,
        mode: disk.mode,
        type: 'Disk',
        unpluggable: disk.unpluggable,
        empty: false,
        other_config: disk.vbdOtherConfig,
        qos_algorithm_type: '',
        qos_algorithm_params: {},
      },
    ],
    signal,
  );
  return connection.callForString('VDI.get_uuid', [vdiRef], signal);
}

function emptyCdDrive(vmRef: string, device: string): Record<string, unknown> {
  return {
    VM: vmRef,
    VDI: NULL_REF,
    device: '',
    userdevice: device,
    bootable: false,
    mode: 'RO',
    type: 'CD',
    unpluggable: true,
    empty: true,
    other_config: {},
    qos_algorithm_type: '',
    qos_algorithm_params: {},
  };
}

/** Without a MAC: XAPI derives a new one from the VM's new seed. */
function toVif(vmRef: string, networkRef: string, vif: ConfiguredInterface): Record<string, unknown> {
  return {
    device: vif.device,
    network: networkRef,
    VM: vmRef,
    MAC: '',
    MTU: vif.mtu,
    other_config: vif.otherConfig,
    qos_algorithm_type: vif.qosAlgorithmType,
    qos_algorithm_params: vif.qosAlgorithmParams,
    locking_mode: vif.lockingMode,
    ipv4_allowed: vif.ipv4Allowed,
    ipv6_allowed: vif.ipv6Allowed,
  };
}

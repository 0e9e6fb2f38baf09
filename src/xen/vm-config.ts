import { AppError } from '../kernel/errors.ts';
import type { VMRecord } from './generated/records.ts';
import { getPool } from './probe-pool.ts';
import { isStampKey } from './stamps.ts';
import { listVmDevices, type VmDisk } from './vm-disks.ts';
import type { XapiConnection } from './xapi-connection.ts';

/** The fields of a VM that a restored one is created with; all of them JSON. */
const CREATED_WITH = [
  ...(['name_label', 'name_description', 'user_version', 'VCPUs_params', 'VCPUs_max', 'VCPUs_at_startup'] as const),
  ...(['memory_static_min', 'memory_dynamic_min', 'memory_dynamic_max', 'memory_static_max'] as const),
  ...(['actions_after_shutdown', 'actions_after_reboot', 'actions_after_crash', 'recommendations'] as const),
  ...(['PV_bootloader', 'PV_kernel', 'PV_ramdisk', 'PV_args', 'PV_bootloader_args', 'PV_legacy_args'] as const),
  ...(['HVM_boot_policy', 'HVM_boot_params', 'HVM_shadow_multiplier', 'PCI_bus', 'platform'] as const),
  ...(['xenstore_data', 'other_config', 'tags', 'start_delay', 'shutdown_delay', 'order'] as const),
  ...(['domain_type', 'NVRAM', 'hardware_platform_version', 'has_vendor_device', 'bios_strings'] as const),
];

export type VmFields = Pick<VMRecord, (typeof CREATED_WITH)[number]>;

export interface ConfiguredDisk {
  /** UUID of the disk in its own pool: names the disk in the restore point. */
  readonly diskKey: string;
  readonly name: string;
  readonly description: string;
  readonly sizeBytes: number;
  readonly device: string;
  readonly bootable: boolean;
  readonly mode: 'RO' | 'RW';
  readonly unpluggable: boolean;
  readonly vbdOtherConfig: Readonly<Record<string, string>>;
  readonly vdiOtherConfig: Readonly<Record<string, string>>;
  readonly xenstoreData: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  readonly srUuid: string;
  readonly srName: string;
  readonly srType: string;
}

export interface ConfiguredInterface {
  readonly device: string;
  readonly mac: string;
  readonly mtu: number;
  readonly networkUuid: string;
  readonly networkName: string;
  readonly lockingMode: string;
  readonly ipv4Allowed: readonly string[];
  readonly ipv6Allowed: readonly string[];
  readonly otherConfig: Readonly<Record<string, string>>;
  readonly qosAlgorithmType: string;
  readonly qosAlgorithmParams: Readonly<Record<string, string>>;
}

/** All that a restore needs to know of a VM besides its disks' bytes. */
export interface VmConfig {
  readonly version: 1;
  readonly poolUuid: string;
  readonly productVersion: string;
  readonly vmUuid: string;
  readonly vm: VmFields;
  readonly disks: readonly ConfiguredDisk[];
  readonly interfaces: readonly ConfiguredInterface[];
  /** Positions of CD drives; what was in them isn't part of the VM. */
  readonly cdDrives: readonly string[];
}

/** What the snapshot was of; the VM and its disks may be gone by now. */
export interface VmOfSnapshot {
  readonly vmUuid: string;
  readonly vmName: string;
  readonly disks: readonly { readonly vdiUuid: string; readonly snapshotVdiUuid: string; readonly name: string }[];
}

/**
 * Reads the configuration as of a snapshot: devices from the snapshot, and the VM's own settings from the VM while it
 * exists, since XAPI resets some of them (name, start order, delays) on a snapshot.
 */
export async function readVmConfig(
  connection: XapiConnection,
  snapshotVmUuid: string,
  source: VmOfSnapshot,
  signal?: AbortSignal,
): Promise<VmConfig> {
  const snapshotRef = await connection.getRefByUuid('VM', snapshotVmUuid, signal);
  const snapshot = await connection.getRecord('VM', snapshotRef, signal);
  const [{ pool, coordinator }, { disks, skipped }, settings, interfaces] = await Promise.all([
    getPool(connection, signal),
    listVmDevices(connection, snapshot, signal),
    readSettings(connection, snapshot, signal),
    readInterfaces(connection, snapshot, signal),
  ]);
  return {
    version: 1,
    poolUuid: pool.uuid,
    productVersion: coordinator.software_version['product_version'] ?? '',
    vmUuid: source.vmUuid,
    vm: { ...pickFields(settings), name_label: source.vmName },
    disks: disks.map((disk) => toConfigured(disk, source)),
    interfaces,
    cdDrives: skipped.filter(({ type }) => type === 'CD').map(({ device }) => device),
  };
}

/** Reads the document back from a restore point's bytes. Throws VAULT_CORRUPT, VAULT_FORMAT_UNKNOWN. */
export function parseVmConfig(bytes: Uint8Array): VmConfig {
  let config: Partial<VmConfig> | null;
  try {
    config = JSON.parse(new TextDecoder().decode(bytes)) as Partial<VmConfig> | null;
  } catch (error) {
    throw new AppError('VAULT_CORRUPT', "The VM's configuration in the restore point is not readable.", {
      cause: error,
    });
  }
  if (config?.version !== 1) {
    throw new AppError('VAULT_FORMAT_UNKNOWN', `The VM's configuration has the version ${String(config?.version)}.`);
  }
  return config as VmConfig;
}

async function readSettings(
  connection: XapiConnection,
  snapshot: VMRecord,
  signal: AbortSignal | undefined,
): Promise<VMRecord> {
  try {
    return await connection.getRecord('VM', snapshot.snapshot_of, signal);
  } catch (error) {
    if (error instanceof AppError && error.code === 'VM_GONE') {
      return snapshot;
    }
    throw error;
  }
}

function pickFields(vm: VMRecord): VmFields {
  const fields = Object.fromEntries(CREATED_WITH.flatMap((field) => (field in vm ? [[field, vm[field]]] : [])));
  return { ...(fields as VmFields), other_config: withoutStamps(vm.other_config) };
}

function toConfigured({ vbd, vdi, sr }: VmDisk, source: VmOfSnapshot): ConfiguredDisk {
  const known = source.disks.find((disk) => disk.snapshotVdiUuid === vdi.uuid);
  if (known === undefined) {
    throw new AppError(
      'JOB_STATE_CONFLICT',
      `The snapshot has a disk ${vdi.uuid} that was not there when it was taken.`,
    );
  }
  return {
    diskKey: known.vdiUuid,
    name: known.name,
    description: vdi.name_description,
    sizeBytes: vdi.virtual_size,
    device: vbd.userdevice,
    bootable: vbd.bootable,
    mode: vbd.mode,
    unpluggable: vbd.unpluggable,
    vbdOtherConfig: vbd.other_config,
    vdiOtherConfig: withoutStamps(vdi.other_config),
    xenstoreData: vdi.xenstore_data,
    tags: vdi.tags,
    srUuid: sr.uuid,
    srName: sr.name_label,
    srType: sr.type,
  };
}

async function readInterfaces(
  connection: XapiConnection,
  vm: VMRecord,
  signal: AbortSignal | undefined,
): Promise<ConfiguredInterface[]> {
  const interfaces = await Promise.all(
    vm.VIFs.map(async (ref) => {
      const vif = await connection.getRecord('VIF', ref, signal);
      const network = await connection.getRecord('network', vif.network, signal);
      return {
        device: vif.device,
        mac: vif.MAC,
        mtu: vif.MTU,
        networkUuid: network.uuid,
        networkName: network.name_label,
        lockingMode: vif.locking_mode,
        ipv4Allowed: vif.ipv4_allowed,
        ipv6Allowed: vif.ipv6_allowed,
        otherConfig: vif.other_config,
        qosAlgorithmType: vif.qos_algorithm_type,
        qosAlgorithmParams: vif.qos_algorithm_params,
      };
    }),
  );
  return interfaces.toSorted((a, b) => Number(a.device) - Number(b.device));
}

function withoutStamps(map: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).filter(([key]) => !isStampKey(key)));
}

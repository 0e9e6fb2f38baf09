import { trackingSrTypes } from './capabilities.ts';
import type { VBDRecord, VDIRecord, VIFRecord, VMRecord, VMGuestMetricsRecord } from './generated/records.ts';
import type { DiskSummary, InventorySnapshot, NetworkSummary, SrSummary, VmSummary } from './model.ts';
import { getPool, listHosts } from './probe-pool.ts';
import { isStampKey } from './stamps.ts';
import type { XapiConnection } from './xapi-connection.ts';
import type { XapiClass } from './xapi-records.ts';

type Tables = Awaited<ReturnType<typeof readTables>>;

/** Reads the pool's tables once and joins them here: a handful of calls whatever the number of VMs. */
export async function readInventory(connection: XapiConnection, signal?: AbortSignal): Promise<InventorySnapshot> {
  const [{ pool, coordinator }, hosts, tables] = await Promise.all([
    getPool(connection, signal),
    listHosts(connection, signal),
    readTables(connection, signal),
  ]);
  return {
    pool: { uuid: pool.uuid, name: pool.name_label, coordinatorUuid: coordinator.uuid },
    hosts,
    srs: listSrs(tables),
    networks: listNetworks(tables),
    vms: [...tables.vms.values()].filter(isGuest).map((vm) => toVm(vm, tables)),
  };
}

/** Only where a VM could be put: for placements. */
export async function readTargets(
  connection: XapiConnection,
  signal?: AbortSignal,
): Promise<Pick<InventorySnapshot, 'srs' | 'networks'>> {
  const tables = await readTargetTables(connection, signal);
  return { srs: listSrs(tables), networks: listNetworks(tables) };
}

/** Templates, snapshots and control domains are nobody's virtual machine. */
export function isGuest(vm: VMRecord): boolean {
  return !vm.is_a_template && !vm.is_a_snapshot && !vm.is_control_domain;
}

/** What is backed up of a VM: its disks, not its CD drives. */
export function isDisk(vbd: VBDRecord): boolean {
  return vbd.type === 'Disk' && !vbd.empty;
}

async function readTables(connection: XapiConnection, signal: AbortSignal | undefined) {
  const read = async <C extends XapiClass>(className: C) => connection.getAllRecords(className, signal);
  const [vms, vbds, vdis, vifs] = await Promise.all([read('VM'), read('VBD'), read('VDI'), read('VIF')]);
  const [metrics, targets] = await Promise.all([read('VM_guest_metrics'), readTargetTables(connection, signal)]);
  return { vms, vbds, vdis, vifs, metrics, ...targets };
}

async function readTargetTables(connection: XapiConnection, signal: AbortSignal | undefined) {
  const read = async <C extends XapiClass>(className: C) => connection.getAllRecords(className, signal);
  const [hosts, srs, networks] = await Promise.all([read('host'), read('SR'), read('network')]);
  const [pbds, drivers] = await Promise.all([read('PBD'), read('SM')]);
  return { hosts, srs, networks, pbds, drivers };
}

type TargetTables = Awaited<ReturnType<typeof readTargetTables>>;

function listSrs({ srs, pbds, hosts, drivers }: TargetTables): SrSummary[] {
  const tracking = trackingSrTypes(drivers.values());
  return [...srs.values()].map((sr) => ({
    uuid: sr.uuid,
    name: sr.name_label,
    type: sr.type,
    contentType: sr.content_type,
    shared: sr.shared,
    sizeBytes: sr.physical_size,
    usedBytes: sr.physical_utilisation,
    hostUuids: sr.PBDs.flatMap((ref) => {
      const pbd = pbds.get(ref);
      const host = pbd?.currently_attached === true ? hosts.get(pbd.host) : undefined;
      return host === undefined ? [] : [host.uuid];
    }),
    changedBlocks: tracking.has(sr.type),
  }));
}

function listNetworks({ networks }: TargetTables): NetworkSummary[] {
  return [...networks.values()].map((network) => ({
    uuid: network.uuid,
    name: network.name_label,
    bridge: network.bridge,
    mtu: network.MTU,
    purposes: network.purpose ?? [],
  }));
}

function toVm(vm: VMRecord, tables: Tables): VmSummary {
  const vbds = vm.VBDs.flatMap((ref) => tables.vbds.get(ref) ?? []);
  const vifs = vm.VIFs.flatMap((ref) => tables.vifs.get(ref) ?? []);
  return {
    uuid: vm.uuid,
    name: vm.name_label,
    description: vm.name_description,
    powerState: vm.power_state,
    hostUuid: tables.hosts.get(vm.resident_on)?.uuid ?? null,
    tags: vm.tags,
    customFields: customFieldsOf(vm),
    vcpus: vm.VCPUs_max,
    memoryBytes: vm.memory_static_max,
    osName: osNameOf(tables.metrics.get(vm.guest_metrics)),
    disks: vbds.filter(isDisk).flatMap((vbd) => {
      const vdi = tables.vdis.get(vbd.VDI);
      const srUuid = tables.srs.get(vdi?.SR ?? '')?.uuid ?? '';
      return vdi === undefined ? [] : [{ ...toDisk(vbd, vdi, srUuid), changedBlocks: vdi.cbt_enabled ?? false }];
    }),
    interfaces: vifs.map((vif) => toInterface(vif, tables)),
  };
}

export function toDisk(vbd: VBDRecord, vdi: VDIRecord, srUuid: string): DiskSummary {
  return {
    vdiUuid: vdi.uuid,
    name: vdi.name_label,
    device: vbd.userdevice,
    sizeBytes: vdi.virtual_size,
    srUuid,
    bootable: vbd.bootable,
  };
}

function toInterface(vif: VIFRecord, { networks }: Tables) {
  return {
    vifUuid: vif.uuid,
    device: vif.device,
    mac: vif.MAC,
    networkUuid: networks.get(vif.network)?.uuid ?? '',
  };
}

const CUSTOM_FIELD = 'XenCenter.CustomFields.';

function customFieldsOf(vm: VMRecord): Record<string, string> {
  const entries = Object.entries(vm.other_config).filter(([key]) => key.startsWith(CUSTOM_FIELD) && !isStampKey(key));
  return Object.fromEntries(entries.map(([key, value]) => [key.slice(CUSTOM_FIELD.length), value]));
}

function osNameOf(metrics: VMGuestMetricsRecord | undefined): string | null {
  return metrics?.os_version['name'] ?? null;
}

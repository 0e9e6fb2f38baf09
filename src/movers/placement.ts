import { AppError } from '../kernel/errors.ts';
import type { InventorySnapshot, NetworkSummary, SrSummary } from '../xen/model.ts';
import type { ConfiguredDisk, ConfiguredInterface, VmConfig } from '../xen/vm-config.ts';
import type { Placement, RestoreDisk } from './restore-commands.ts';

/** Drivers that take a new disk's whole size at once. */
const THICK = new Set(['lvm', 'lvmoiscsi', 'lvmohba', 'lvmofcoe', 'equal']);

export function isThick(srType: string): boolean {
  return THICK.has(srType);
}

/** Drivers that keep a disk in a sparse file of its own. */
const ZEROED = new Set(['ext', 'file', 'nfs', 'smb', 'cifs', 'xfs', 'zfs', 'gfs2', 'cephfs', 'glusterfs', 'moosefs']);

/** Whether a new disk is known to read as zeros. Elsewhere (also where nothing is known) old data may show through. */
export function readsAsZeros(srType: string): boolean {
  return ZEROED.has(srType);
}

export function srUuidOf(placement: Placement, disk: ConfiguredDisk): string {
  return placement.disks[disk.diskKey] ?? placement.defaultSrUuid;
}

/** A network that no rule names goes where all others go; undefined where nothing is said. */
function mapNetwork({ networks, otherNetworks }: Placement, networkUuid: string): string | null | undefined {
  const mapped = networks[networkUuid];
  return mapped === undefined ? otherNetworks : mapped;
}

/** Null: the interface is left out on purpose. */
export function networkUuidOf(placement: Placement, vif: ConfiguredInterface): string | null {
  const mapped = mapNetwork(placement, vif.networkUuid);
  if (mapped === undefined) {
    throw notMapped([vif]);
  }
  return mapped;
}

export function toRestoreDisks(config: VmConfig, placement: Placement): RestoreDisk[] {
  return config.disks.map((disk) => ({
    diskKey: disk.diskKey,
    name: disk.name,
    device: disk.device,
    sizeBytes: disk.sizeBytes,
    srUuid: srUuidOf(placement, disk),
  }));
}

/** Everything that can be known before the bytes move. Throws NETWORK_NOT_MAPPED, BAD_INPUT, SR_FULL. */
export function checkPlacement(
  config: VmConfig,
  placement: Placement,
  target: Pick<InventorySnapshot, 'srs' | 'networks'>,
): string[] {
  const unmapped = config.interfaces.filter((vif) => mapNetwork(placement, vif.networkUuid) === undefined);
  if (unmapped.length > 0) {
    throw notMapped(unmapped);
  }
  for (const uuid of [...Object.values(placement.networks), placement.otherNetworks ?? null]) {
    if (uuid !== null) {
      getNetwork(target.networks, uuid);
    }
  }
  const needed = new Map<string, number>();
  for (const disk of toRestoreDisks(config, placement)) {
    needed.set(disk.srUuid, (needed.get(disk.srUuid) ?? 0) + disk.sizeBytes);
  }
  return [...needed].flatMap(([srUuid, bytes]) => checkSpace(getSr(target.srs, srUuid), bytes));
}

function checkSpace(sr: SrSummary, bytes: number): string[] {
  const free = sr.sizeBytes - sr.usedBytes;
  if (bytes <= free) {
    return [];
  }
  const numbers = `needs up to ${bytes} bytes, ${free} are free`;
  if (isThick(sr.type)) {
    throw new AppError('SR_FULL', `The storage repository ${sr.name} is too full: the restore ${numbers}.`, {
      data: { srUuid: sr.uuid, neededBytes: bytes, freeBytes: free },
    });
  }
  return [`The storage repository ${sr.name} may become full: the restore ${numbers}.`];
}

function getSr(srs: readonly SrSummary[], uuid: string): SrSummary {
  const sr = srs.find((each) => each.uuid === uuid);
  if (sr === undefined) {
    throw new AppError('BAD_INPUT', `The target pool has no storage repository ${uuid}.`, { data: { srUuid: uuid } });
  }
  return sr;
}

function getNetwork(networks: readonly NetworkSummary[], uuid: string): NetworkSummary {
  const network = networks.find((each) => each.uuid === uuid);
  if (network === undefined) {
    throw new AppError('BAD_INPUT', `The target pool has no network ${uuid}.`, { data: { networkUuid: uuid } });
  }
  return network;
}

function notMapped(interfaces: readonly ConfiguredInterface[]): AppError {
  const names = interfaces.map((vif) => `${vif.networkName} (${vif.networkUuid})`).join(', ');
  return new AppError('NETWORK_NOT_MAPPED', `No target network is given for: ${names}.`, {
    data: { networkUuids: interfaces.map((vif) => vif.networkUuid) },
  });
}

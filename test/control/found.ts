import type { FoundInventory, FoundPool, FoundVm } from '../../src/control/pools/found-pool.ts';

export const CERTIFICATE = 'ab'.repeat(32);

export const FOUND_POOL: FoundPool = {
  uuid: 'pool-uuid',
  productBrand: 'XCP-ng',
  productVersion: '8.3.0',
  certificates: [
    { address: '10.0.0.5', sha256: CERTIFICATE },
    { address: '10.0.0.6', sha256: 'cd'.repeat(32) },
  ],
  presentedSha256: CERTIFICATE,
  capabilities: { changedBlocksLicensed: true, nbd: 'TLS', checkpointLicensed: true },
};

/** Each pool says who it is. */
export function foundPool(poolId: string): FoundPool {
  return { ...FOUND_POOL, uuid: `xen-${poolId}` };
}

export function foundVm(uuid: string, name: string): FoundVm {
  return {
    uuid,
    name,
    powerState: 'Running',
    tags: ['web'],
    vcpus: 2,
    memoryBytes: 2 ** 31,
    disks: [disk('10', 3), disk('0', 1), disk('2', 2)],
    interfaces: [{ device: '0', mac: '02:00:00:00:00:01', networkUuid: 'net-1' }],
  };
}

function disk(device: string, gib: number): FoundVm['disks'][number] {
  return {
    vdiUuid: `vdi-${device}`,
    srUuid: 'sr-1',
    name: `disk ${device}`,
    device,
    sizeBytes: gib * 2 ** 30,
    changedBlocks: false,
  };
}

export function inventory(vms: readonly FoundVm[] = [foundVm('vm-1', 'web'), foundVm('vm-2', 'mail')]): FoundInventory {
  const sr = { type: 'ext', shared: true, sizeBytes: 2 ** 40, usedBytes: -1, changedBlocks: true };
  return {
    hosts: [
      { uuid: 'host-1', name: 'alpha', address: '10.0.0.5' },
      { uuid: 'host-2', name: 'beta', address: '10.0.0.6' },
    ],
    srs: [
      { uuid: 'sr-1', name: 'fast', ...sr },
      { uuid: 'sr-2', name: 'slow', ...sr },
    ],
    networks: [
      { uuid: 'net-1', name: 'lan', bridge: 'xenbr0', purposes: ['nbd'] },
      { uuid: 'net-2', name: 'dmz', bridge: 'xenbr1', purposes: [] },
    ],
    vms,
  };
}

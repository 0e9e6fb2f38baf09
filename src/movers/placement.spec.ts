import { describe, expect, it } from 'vitest';
import type { SrSummary } from '../xen/model.ts';
import type { VmConfig } from '../xen/vm-config.ts';
import { checkPlacement, readsAsZeros, toRestoreDisks } from './placement.ts';

const GIB = 1024 ** 3;
const config = {
  disks: [
    { diskKey: 'a', name: 'system', device: '0', sizeBytes: 3 * GIB },
    { diskKey: 'b', name: 'data', device: '1', sizeBytes: 2 * GIB },
  ],
  interfaces: [{ device: '0', networkUuid: 'lan', networkName: 'LAN' }],
} as unknown as VmConfig;
const placement = { defaultSrUuid: 'big', disks: {}, networks: { lan: 'target-lan' } };
const networks = [{ uuid: 'target-lan', name: 'LAN', bridge: 'xenbr0', mtu: 1500, purposes: [] }];

function sr(uuid: string, type: string, freeBytes: number): SrSummary {
  return {
    uuid,
    name: uuid,
    type,
    contentType: 'user',
    shared: true,
    sizeBytes: 10 * GIB,
    usedBytes: 10 * GIB - freeBytes,
    hostUuids: [],
    changedBlocks: true,
  };
}

describe('a placement', () => {
  it('holds where everything fits', () => {
    expect(checkPlacement(config, placement, { srs: [sr('big', 'lvm', 5 * GIB)], networks })).toEqual([]);
  });

  it('is refused where a thick SR is too small for all of its disks together', () => {
    const target = { srs: [sr('big', 'lvmoiscsi', 5 * GIB - 1)], networks };
    expect(() => checkPlacement(config, placement, target)).toThrow(
      expect.objectContaining({
        code: 'SR_FULL',
        data: { srUuid: 'big', neededBytes: 5 * GIB, freeBytes: 5 * GIB - 1 },
      }),
    );
  });

  it('warns where a thin SR may become too small', () => {
    const target = { srs: [sr('big', 'nfs', 4 * GIB)], networks };
    expect(checkPlacement(config, placement, target)).toHaveLength(1);
  });

  it('puts each disk where it is told', () => {
    const split = { ...placement, disks: { b: 'small' } };
    expect(toRestoreDisks(config, split).map((disk) => disk.srUuid)).toEqual(['big', 'small']);
    expect(
      checkPlacement(config, split, { srs: [sr('big', 'lvm', 3 * GIB), sr('small', 'lvm', 2 * GIB)], networks }),
    ).toEqual([]);
  });

  it('is refused where a network or SR is not given, or not in the pool', () => {
    const target = { srs: [sr('big', 'nfs', 9 * GIB)], networks };
    const refusal = (given: object) => () => checkPlacement(config, { ...placement, ...given }, target);
    expect(refusal({ networks: {} })).toThrow(
      expect.objectContaining({ code: 'NETWORK_NOT_MAPPED', message: expect.stringMatching(/ \(lan\)\.$/) }),
    );
    expect(refusal({ networks: { lan: 'elsewhere' } })).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }));
    expect(refusal({ defaultSrUuid: 'elsewhere' })).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }));
    expect(checkPlacement(config, { ...placement, networks: { lan: null } }, target)).toEqual([]);
  });

  it('may name one network for all that are not named, or leave these out', () => {
    const target = { srs: [sr('big', 'nfs', 9 * GIB)], networks };
    const others = (otherNetworks: string | null) => ({ ...placement, networks: {}, otherNetworks });
    expect(checkPlacement(config, others('target-lan'), target)).toEqual([]);
    expect(checkPlacement(config, others(null), target)).toEqual([]);
    expect(() => checkPlacement(config, others('elsewhere'), target)).toThrow('elsewhere');
  });
});

describe('holes of a restored disk', () => {
  it.each(['ext', 'nfs', 'smb'])('need no writing on %s, where a new disk is an empty file', (type) => {
    expect(readsAsZeros(type)).toBe(true);
  });

  it.each(['lvm', 'lvmoiscsi', 'lvmohba', 'linstor', 'rawhba', 'iso', 'udev', 'a driver of tomorrow'])(
    'are written on %s, where a new disk is not known to be empty',
    (type) => {
      expect(readsAsZeros(type)).toBe(false);
    },
  );
});

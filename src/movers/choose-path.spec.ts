import { describe, expect, it } from 'vitest';
import type { BackupInfo } from './backup-info.ts';
import { type Base, choosePath, type DiskToRead, type TrackingRules } from './choose-path.ts';

const anchor = {
  vdiUuid: 'disk',
  snapshotVdiUuid: 'snapshot',
  tracked: true,
  sizeBytes: 100,
  path: 'FULL_NBD',
  reason: 'FIRST_BACKUP',
} as const;
const disk: DiskToRead = { vdiUuid: 'disk', sizeBytes: 100, srUuid: 'sr', tracked: true };
const rules: TrackingRules = {
  wanted: true,
  capabilities: { changedBlocksLicensed: true, changedBlocksSrs: ['sr'] },
};

function baseWith(disks: BackupInfo['disks']): Base {
  const info: BackupInfo = { version: 1, jobId: 'j', vmUuid: 'v', vmName: 'n', consistency: 'CRASH', disks };
  return { pointId: 'p', info, lost: null };
}

describe('the way a disk is read', () => {
  it('is by its changes where everything is in place, also when it has grown', () => {
    expect(choosePath(baseWith([anchor]), disk, rules)).toEqual({ anchor, reason: null });
    expect(choosePath(baseWith([anchor]), { ...disk, sizeBytes: 200 }, rules)).toEqual({ anchor, reason: null });
  });

  it.each([
    ['FIRST_BACKUP', { base: { pointId: null, info: null, lost: 'FIRST_BACKUP' } as const }],
    ['BASE_RESTORE_POINT_LOST', { base: { pointId: null, info: null, lost: 'BASE_RESTORE_POINT_LOST' } as const }],
    ['TRACKING_NOT_WANTED', { rules: { ...rules, wanted: false } }],
    [
      'TRACKING_NOT_LICENSED',
      { rules: { ...rules, capabilities: { ...rules.capabilities, changedBlocksLicensed: false } } },
    ],
    ['TRACKING_NOT_SUPPORTED', { disk: { ...disk, srUuid: 'other' } }],
    ['NEW_DISK', { disk: { ...disk, vdiUuid: 'other' } }],
    ['TRACKING_JUST_ENABLED', { base: baseWith([{ ...anchor, tracked: false }]) }],
    ['TRACKING_CHAIN_LOST', { disk: { ...disk, tracked: false } }],
    ['DISK_SHRUNK', { disk: { ...disk, sizeBytes: 50 } }],
  ] satisfies [string, { base?: Base; disk?: DiskToRead; rules?: TrackingRules }][])(
    'is in full, because of %s',
    (reason, given) => {
      const all = { base: baseWith([anchor]), disk, rules, ...given };
      expect(choosePath(all.base, all.disk, all.rules)).toEqual({ anchor: null, reason });
    },
  );
});

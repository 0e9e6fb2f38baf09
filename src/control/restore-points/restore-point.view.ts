import { z } from 'zod';
import { toGlobalId } from '../../kernel/global-id.ts';
import { bigIntView, defineView, idView } from '../../platform/wire/view.ts';
import type { RestorePointDiskRow } from './restore-point-disk.entity.ts';
import type { RestorePointRow } from './restore-point.entity.ts';

export const restorePointDiskView = defineView('RestorePointDisk', {
  key: z.string(),
  name: z.string(),
  position: z.string(),
  sizeBytes: bigIntView,
  readBytes: bigIntView,
  storedBytes: bigIntView,
  path: z.enum(['CHANGED_BLOCKS', 'FULL']),
  fullReason: z.string().nullable(),
});

export const restorePointView = defineView('RestorePoint', {
  id: idView('RestorePoint'),
  tenantId: idView('Tenant'),
  vmId: idView('Vm'),
  vaultId: idView('Vault'),
  jobId: idView('Job'),
  vmName: z.string(),
  takenAt: z.date(),
  method: z.enum(['ONLINE']),
  consistency: z.enum(['CRASH_PER_DISK', 'CRASH', 'POWERED_OFF']),
  sizeBytes: bigIntView,
  readBytes: bigIntView,
  storedBytes: bigIntView,
  disks: z.array(restorePointDiskView),
  createdAt: z.date(),
});

export type RestorePointView = z.infer<typeof restorePointView>;

/** A restore point with its disks, by position. */
export interface RestorePointWithDisks {
  readonly point: RestorePointRow;
  readonly disks: readonly RestorePointDiskRow[];
}

export function toRestorePointView({ point, disks }: RestorePointWithDisks): RestorePointView {
  const { tenantId } = point;
  return {
    __typename: 'RestorePoint',
    id: toGlobalId('RestorePoint', tenantId, point.id),
    tenantId: toGlobalId('Tenant', tenantId, tenantId),
    vmId: toGlobalId('Vm', tenantId, point.vmId),
    vaultId: toGlobalId('Vault', tenantId, point.vaultId),
    jobId: toGlobalId('Job', tenantId, point.jobId),
    vmName: point.vmName,
    takenAt: point.takenAt,
    method: point.method,
    consistency: point.consistency,
    sizeBytes: point.sizeBytes,
    readBytes: point.readBytes,
    storedBytes: point.storedBytes,
    disks: disks.map((disk) => ({
      __typename: 'RestorePointDisk',
      key: disk.diskKey,
      name: disk.name,
      position: disk.position,
      sizeBytes: disk.sizeBytes,
      readBytes: disk.readBytes,
      storedBytes: disk.storedBytes,
      path: disk.path,
      fullReason: disk.fullReason,
    })),
    createdAt: point.createdAt,
  };
}

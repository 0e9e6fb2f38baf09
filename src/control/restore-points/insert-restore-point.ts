import type { EntityManager } from 'typeorm';
import type { BackedUpDisk, CommittedRestorePoint, SnapshottedDisk } from '../../../workflows/contract/index.ts';

type NewDisk = Pick<BackedUpDisk, 'vdiUuid' | 'sizeBytes' | 'path' | 'reason' | 'bytesRead' | 'bytesStored'>;

export interface NewRestorePoint {
  readonly tenantId: string;
  readonly jobId: string;
  readonly vmId: string;
  readonly vaultId: string;
  readonly point: Omit<CommittedRestorePoint, 'disks'> & { readonly disks: readonly NewDisk[] };
  /** How the pool calls the disks. */
  readonly disks: readonly Pick<SnapshottedDisk, 'vdiUuid' | 'name' | 'device'>[];
}

/** Row and disks; false where the row is there already. `createdAt`: now, unless it came into the catalogue before. */
export async function insertRestorePoint(
  em: EntityManager,
  input: NewRestorePoint,
  createdAt?: Date,
): Promise<boolean> {
  const inserted = await insertPoint(em, input, createdAt ?? null);
  if (inserted) {
    await insertDisks(em, input);
  }
  return inserted;
}

async function insertPoint(em: EntityManager, input: NewRestorePoint, createdAt: Date | null): Promise<boolean> {
  const { tenantId, jobId, vmId, vaultId, point } = input;
  const rows: unknown[] = await em.query(
    `insert into app.restore_point (tenant_id, id, vault_id, vm_id, job_id, vm_name, taken_at, method, consistency,
                                    size_bytes, read_bytes, stored_bytes, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, 'ONLINE', $8, $9, $10, $11, coalesce($12, now()))
     on conflict (tenant_id, id) do nothing returning 1`,
    [
      tenantId,
      point.restorePointId,
      vaultId,
      vmId,
      jobId,
      point.vmName,
      point.takenAt,
      point.consistency,
      point.sizeBytes,
      point.bytesRead,
      point.bytesStored,
      createdAt,
    ],
  );
  return rows.length > 0;
}

async function insertDisks(em: EntityManager, { tenantId, point, disks }: NewRestorePoint): Promise<void> {
  const named = new Map(disks.map((disk) => [disk.vdiUuid, disk]));
  for (const disk of point.disks) {
    const path = disk.path === 'CHANGED_BLOCKS_NBD' ? 'CHANGED_BLOCKS' : 'FULL';
    const { name = '', device = '' } = named.get(disk.vdiUuid) ?? {};
    await em.query(
      `insert into app.restore_point_disk (tenant_id, restore_point_id, disk_key, name, position, size_bytes, read_bytes,
                                           stored_bytes, path, full_reason)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [
        tenantId,
        point.restorePointId,
        disk.vdiUuid,
        name,
        device,
        disk.sizeBytes,
        disk.bytesRead,
        disk.bytesStored,
        path,
        disk.reason,
      ],
    );
  }
}

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { toGlobalId } from '../../kernel/global-id.ts';
import type { TenantId, VaultId } from '../../kernel/ids.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { EventWriter } from '../../platform/mutations/event-writer.ts';
import type { RecordRestorePointInput } from '../../../workflows/contract/index.ts';
import { UsageEventWriter } from '../usage/usage-event-writer.service.ts';
import { VaultRow } from '../vaults/vault.entity.ts';

/** The catalogue's side of a commit: only after the vault's own object exists. */
@Injectable()
export class RecordRestorePointService {
  constructor(
    private readonly db: TenantDb,
    private readonly events: EventWriter,
    private readonly usage: UsageEventWriter,
  ) {}

  /** Row, disks, usage and events in one transaction; again: nothing happens. */
  async recordRestorePoint(input: RecordRestorePointInput): Promise<void> {
    await this.db.run(async (em) => {
      if (await insertPoint(em, input)) {
        await insertDisks(em, input);
        await this.#settle(em, input);
      }
    });
  }

  async #settle(em: EntityManager, { tenantId, jobId, vmId, vaultId, point }: RecordRestorePointInput): Promise<void> {
    const vault = { tenantId: tenantId as TenantId, id: vaultId as VaultId };
    await em.increment(VaultRow, vault, 'storedBytes', point.bytesStored);
    const occurredAt = new Date(point.committedAt);
    await this.usage.write(em, { tenantId, jobId, meter: 'backed_up_bytes', quantity: point.sizeBytes, occurredAt });
    await this.usage.write(em, { tenantId, jobId, meter: 'backup_runs', quantity: 1, occurredAt });
    await this.events.write(em, {
      type: 'restore_point.created',
      subject: { type: 'RestorePoint', tenantId, id: point.restorePointId },
      data: {
        restorePointId: toGlobalId('RestorePoint', tenantId, point.restorePointId),
        vmId: toGlobalId('Vm', tenantId, vmId),
        vaultId: toGlobalId('Vault', tenantId, vaultId),
        jobId: toGlobalId('Job', tenantId, jobId),
        vmName: point.vmName,
        takenAt: point.takenAt,
        consistency: point.consistency,
        sizeBytes: String(point.sizeBytes),
      },
    });
  }
}

async function insertPoint(em: EntityManager, input: RecordRestorePointInput): Promise<boolean> {
  const { tenantId, jobId, vmId, vaultId, point } = input;
  const rows: unknown[] = await em.query(
    `insert into app.restore_point (tenant_id, id, vault_id, vm_id, job_id, vm_name, taken_at, method, consistency,
                                    size_bytes, read_bytes, stored_bytes)
     values ($1, $2, $3, $4, $5, $6, $7, 'ONLINE', $8, $9, $10, $11)
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
    ],
  );
  return rows.length > 0;
}

async function insertDisks(em: EntityManager, { tenantId, point, disks }: RecordRestorePointInput): Promise<void> {
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

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { toGlobalId } from '../../kernel/global-id.ts';
import type { TenantId, VaultId } from '../../kernel/ids.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { EventWriter } from '../../platform/mutations/event-writer.ts';
import type { RecordRestorePointInput } from '../../../workflows/contract/index.ts';
import { UsageEventWriter } from '../usage/usage-event-writer.service.ts';
import { VaultRow } from '../vaults/vault.entity.ts';
import { insertRestorePoint } from './insert-restore-point.ts';

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
      if (await insertRestorePoint(em, input)) {
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

import { Injectable } from '@nestjs/common';
import { toGlobalId } from '../../kernel/global-id.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { EventWriter } from '../../platform/mutations/event-writer.ts';
import type { RecordRestoreInput } from '../../../workflows/contract/index.ts';
import { UsageEventWriter } from '../usage/usage-event-writer.service.ts';

/** Usage and event of a restore in one transaction; again: nothing happens. */
@Injectable()
export class RecordRestoreService {
  constructor(
    private readonly db: TenantDb,
    private readonly events: EventWriter,
    private readonly usage: UsageEventWriter,
  ) {}

  async recordRestore({ tenantId, jobId, restorePointId, target, vm, disks }: RecordRestoreInput): Promise<void> {
    await this.db.run(async (em) => {
      const known: unknown[] = await em.query('select from app.usage_event where tenant_id = $1 and job_id = $2', [
        tenantId,
        jobId,
      ]);
      if (known.length > 0) {
        return;
      }
      const occurredAt = new Date();
      const quantity = disks.reduce((sum, disk) => sum + disk.bytesWritten, 0);
      await this.usage.write(em, { tenantId, jobId, meter: 'restored_bytes', quantity, occurredAt });
      await this.usage.write(em, { tenantId, jobId, meter: 'restore_runs', quantity: 1, occurredAt });
      await this.events.write(em, {
        type: 'vm.restored',
        subject: { type: 'RestorePoint', tenantId, id: restorePointId },
        data: {
          jobId: toGlobalId('Job', tenantId, jobId),
          restorePointId: toGlobalId('RestorePoint', tenantId, restorePointId),
          poolId: toGlobalId('Pool', target.poolOwnerId, target.poolId),
          vmUuid: vm.vmUuid,
          vmName: vm.vmName,
        },
      });
    });
  }
}

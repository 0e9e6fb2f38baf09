import { Injectable } from '@nestjs/common';
import { toGlobalId } from '../../kernel/global-id.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { EventWriter } from '../../platform/mutations/event-writer.ts';
import type { RecordRestoreInput } from '../../../workflows/contract/index.ts';
import { UsageEventWriter } from '../usage/usage-event.writer.ts';

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
      const quantities = { restored_bytes: disks.reduce((sum, disk) => sum + disk.bytesWritten, 0), restore_runs: 1 };
      const isNew = await this.usage.write(em, { tenantId, jobId, occurredAt: new Date(), quantities });
      if (isNew) {
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
      }
    });
  }
}

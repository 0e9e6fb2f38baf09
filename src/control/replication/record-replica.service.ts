import { Injectable } from '@nestjs/common';
import { toGlobalId } from '../../kernel/global-id.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { EventWriter } from '../../platform/mutations/event-writer.ts';
import type { RecordReplicaInput } from '../../../workflows/contract/index.ts';
import { UsageEventWriter } from '../usage/usage-event-writer.service.ts';

/** The replica's row, usage and event in one transaction; again: nothing happens. */
@Injectable()
export class RecordReplicaService {
  constructor(
    private readonly db: TenantDb,
    private readonly events: EventWriter,
    private readonly usage: UsageEventWriter,
  ) {}

  async recordReplica(input: RecordReplicaInput): Promise<void> {
    const { tenantId, jobId, restorePointId, replicationPlanId, target, vm, disks } = input;
    await this.db.run(async (em) => {
      const inserted: unknown[] = await em.query(
        `insert into app.replica (tenant_id, replication_plan_id, job_id, restore_point_id, vm_xen_uuid)
         values ($1, $2, $3, $4, $5) on conflict (tenant_id, job_id) do nothing returning 1`,
        [tenantId, replicationPlanId, jobId, restorePointId, vm.vmUuid],
      );
      if (inserted.length === 0) {
        return;
      }
      const occurredAt = new Date();
      const quantity = disks.reduce((sum, disk) => sum + disk.bytesWritten, 0);
      await this.usage.write(em, { tenantId, jobId, meter: 'replicated_bytes', quantity, occurredAt });
      await this.usage.write(em, { tenantId, jobId, meter: 'replication_runs', quantity: 1, occurredAt });
      await this.events.write(em, {
        type: 'replica.created',
        subject: { type: 'ReplicationPlan', tenantId, id: replicationPlanId },
        data: {
          jobId: toGlobalId('Job', tenantId, jobId),
          replicationPlanId: toGlobalId('ReplicationPlan', tenantId, replicationPlanId),
          restorePointId: toGlobalId('RestorePoint', tenantId, restorePointId),
          poolId: toGlobalId('Pool', target.poolOwnerId, target.poolId),
          vmUuid: vm.vmUuid,
          vmName: vm.vmName,
        },
      });
    });
  }
}

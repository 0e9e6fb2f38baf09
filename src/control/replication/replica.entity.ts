import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { JobId, ReplicationPlanId, RestorePointId, TenantId } from '../../kernel/ids.ts';

@Entity({ schema: 'app', name: 'replica' })
export class ReplicaRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid', { default: () => 'uuidv7()' })
  id!: string;

  @Column('uuid', { name: 'replication_plan_id' })
  replicationPlanId!: ReplicationPlanId;

  @Column('uuid', { name: 'job_id' })
  jobId!: JobId;

  @Column('uuid', { name: 'restore_point_id' })
  restorePointId!: RestorePointId;

  @Column('text', { name: 'vm_xen_uuid' })
  vmXenUuid!: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}

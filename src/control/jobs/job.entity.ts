import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { JobId, PoolId, ReplicationPlanId, RestorePointId, TenantId, VaultId, VmId } from '../../kernel/ids.ts';
import type { JobInput, JobKind, JobResult } from '../../../workflows/contract/index.ts';
import type { JobJournal } from './job-journal.ts';
import type { JobState } from './job-state.ts';

@Entity({ schema: 'app', name: 'job' })
export class JobRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid')
  id!: JobId;

  @Column('text')
  kind!: JobKind;

  @Column('text', { default: 'QUEUED' })
  state!: JobState;

  @Column('uuid', { name: 'vm_id', nullable: true })
  vmId!: VmId | null;

  @Column('uuid', { name: 'pool_id', nullable: true })
  poolId!: PoolId | null;

  @Column('uuid', { name: 'vault_id', nullable: true })
  vaultId!: VaultId | null;

  @Column('uuid', { name: 'restore_point_id', nullable: true })
  restorePointId!: RestorePointId | null;

  @Column('uuid', { name: 'replication_plan_id', nullable: true })
  replicationPlanId!: ReplicationPlanId | null;

  /** What the workflow is started with. */
  @Column('jsonb')
  input!: JobInput;

  @Column('jsonb', { default: {} })
  result!: JobResult;

  @Column('jsonb', { default: [] })
  warnings!: string[];

  @Column('text', { name: 'error_code', nullable: true })
  errorCode!: string | null;

  @Column('text', { name: 'error_message', nullable: true })
  errorMessage!: string | null;

  @Column('text', { name: 'error_hint', nullable: true })
  errorHint!: string | null;

  /** What a clean-up has to know, written before the world is touched. */
  @Column('jsonb', { default: {} })
  journal!: JobJournal;

  @Column('text', { name: 'run_id', nullable: true })
  runId!: string | null;

  @Column('uuid', { name: 'actor_tenant_id' })
  actorTenantId!: TenantId;

  @Column('text')
  actor!: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'started_at', nullable: true })
  startedAt!: Date | null;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt!: Date | null;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  @Column('integer', { default: 1 })
  version!: number;
}

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AppError } from '../../kernel/errors.ts';
import { toGlobalId } from '../../kernel/global-id.ts';
import type { JobId, PoolId, ReplicationPlanId, RestorePointId, TenantId, VaultId, VmId } from '../../kernel/ids.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { postgresErrorOf } from '../../platform/database/sql-state.ts';
import { EventWriter } from '../../platform/mutations/event-writer.ts';
import { newId } from '../../platform/new-id.ts';
import type { JobInput, JobKind } from '../../../workflows/contract/index.ts';
import { jobEvent } from './job-event.ts';
import { JobPatience } from './job-patience.ts';
import { JobWorkflows } from './job-workflows.ts';
import { JobRow } from './job.entity.ts';

/** A job to be: what it is about, and what its workflow is given beyond the ids every job has. */
export interface JobOrder<Input extends JobInput> {
  readonly kind: JobKind;
  readonly tenantId: TenantId;
  readonly input: Omit<Input, keyof JobInput>;
  readonly vmId?: VmId;
  readonly poolId?: PoolId;
  readonly vaultId?: VaultId;
  readonly restorePointId?: RestorePointId;
  readonly replicationPlanId?: ReplicationPlanId;
}

/** Row first, then the workflow. */
@Injectable()
export class JobLaunchService {
  constructor(
    private readonly scope: TenantScope,
    private readonly events: EventWriter,
    private readonly patience: JobPatience,
    private readonly workflows: JobWorkflows,
  ) {}

  /** Inserts the job, QUEUED, in the caller's transaction. VM_BUSY, naming the job that has the VM. */
  async enqueue<Input extends JobInput>(em: EntityManager, order: JobOrder<Input>): Promise<JobRow> {
    const job = await this.insert(em, order);
    await this.events.write(em, jobEvent(job));
    return job;
  }

  /** The same without the event, for a mutation whose own event it is. */
  async insert<Input extends JobInput>(em: EntityManager, { input, ...order }: JobOrder<Input>): Promise<JobRow> {
    const id = newId<JobId>();
    const actor = this.scope.current();
    const row = {
      ...order,
      id,
      input: { tenantId: order.tenantId, jobId: id, patience: this.patience.value, ...input },
      actorTenantId: actor.tenantId,
      actor: actor.name,
    };
    await em.query('savepoint enqueue');
    try {
      await em.insert(JobRow, row);
    } catch (error) {
      if (postgresErrorOf(error)?.constraint !== 'job_active_on_vm') {
        throw error;
      }
      await em.query('rollback to savepoint enqueue');
      throw await vmBusy(em, order);
    }
    return await em.findOneByOrFail(JobRow, { tenantId: order.tenantId, id });
  }

  /** After the commit. Where it fails the row stays QUEUED, and the reconciler starts it. */
  async launch(job: JobRow): Promise<void> {
    if (job.state === 'QUEUED') {
      await this.workflows.start(job).catch(() => {
        // The answer to the client is the row; whatever kept Temporal away is logged by the reconciler that meets it.
      });
    }
  }
}

async function vmBusy(
  em: EntityManager,
  { tenantId, vmId }: Pick<JobRow, 'tenantId'> & { vmId?: VmId },
): Promise<AppError> {
  const rows: { id: string }[] = await em.query(
    `select id from app.job where tenant_id = $1 and vm_id = $2 and kind = 'BACKUP' and state in ('QUEUED', 'RUNNING', 'CANCELLING')`,
    [tenantId, vmId],
  );
  const jobId = rows[0] === undefined ? null : toGlobalId('Job', tenantId, rows[0].id);
  return new AppError(
    'VM_BUSY',
    jobId === null ? 'A backup of this VM has just ended; try again.' : `Job ${jobId} is backing this VM up.`,
    {
      data: { field: 'vmId', jobId },
    },
  );
}

import { Injectable } from '@nestjs/common';
import { notFound, toGlobalId, type NodeKey } from '../../kernel/global-id.ts';
import { Mutations } from '../../platform/mutations/mutations.ts';
import type { ReplicateVmInput as WorkflowInput } from '../../../workflows/contract/index.ts';
import { JobLaunchService } from '../jobs/job-launch.service.ts';
import { eventOf } from '../jobs/job-state.ts';
import { getJobRow, JobService } from '../jobs/job.service.ts';
import type { JobWithProgress } from '../jobs/job.view.ts';
import { findPoint } from './find-point.ts';
import { getPlanRow } from './replication-plan.service.ts';
import type { ReplicateVmInput } from './replication.input.ts';

@Injectable()
export class ReplicateVmService {
  constructor(
    private readonly mutations: Mutations,
    private readonly launching: JobLaunchService,
    private readonly jobs: JobService,
  ) {}

  /** Runs a plan once, now. NO_RESTORE_POINT where there is nothing to replicate yet. */
  async replicateVm(input: ReplicateVmInput): Promise<JobWithProgress> {
    const { replicationPlanId, restorePointId } = input;
    const { tenantId } = replicationPlanId;
    if (restorePointId !== undefined && restorePointId.tenantId !== tenantId) {
      throw notFound('RestorePoint');
    }
    const job = await this.mutations.run({
      name: 'replicateVm',
      target: replicationPlanId,
      input,
      work: async (em) => {
        const plan = await getPlanRow(em, replicationPlanId);
        await findPoint(em, plan, restorePointId?.id ?? null);
        const value = await this.launching.insert<WorkflowInput>(em, {
          kind: 'REPLICATION',
          tenantId: plan.tenantId,
          vmId: plan.vmId,
          vaultId: plan.vaultId,
          replicationPlanId: plan.id,
          input: { replicationPlanId: plan.id, restorePointId: restorePointId?.id ?? null },
        });
        const subject: NodeKey = { type: 'Job', tenantId, id: value.id };
        const data = {
          jobId: toGlobalId('Job', tenantId, value.id),
          kind: 'REPLICATION',
          state: 'QUEUED',
          vmId: toGlobalId('Vm', tenantId, plan.vmId),
        };
        return { value, subject, event: eventOf('QUEUED'), data, detail: { plan: plan.name } };
      },
      replay: async (em, id) => await getJobRow(em, { tenantId, id }),
    });
    await this.launching.launch(job);
    return await this.jobs.getJob({ type: 'Job', tenantId: job.tenantId, id: job.id });
  }
}

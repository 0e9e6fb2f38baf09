import { Injectable } from '@nestjs/common';
import { toGlobalId, type NodeKey } from '../../kernel/global-id.ts';
import type { PoolId } from '../../kernel/ids.ts';
import { Mutations } from '../../platform/mutations/mutations.ts';
import type { RestoreVmInput as WorkflowInput } from '../../../workflows/contract/index.ts';
import { JobLaunchService } from '../jobs/job-launch.service.ts';
import { eventOf } from '../jobs/job-state.ts';
import { getJobRow, JobService } from '../jobs/job.service.ts';
import type { JobWithProgress } from '../jobs/job.view.ts';
import { getRestorePointRow } from '../restore-points/restore-point.service.ts';
import { checkPlacement } from './placement.ts';
import type { RestoreVmInput } from './restore.input.ts';

@Injectable()
export class RestoreVmService {
  constructor(
    private readonly mutations: Mutations,
    private readonly launching: JobLaunchService,
    private readonly jobs: JobService,
  ) {}

  /** A new VM, switched off, in a pool that the tenant owns or holds a grant for. */
  async restoreVm(input: RestoreVmInput): Promise<JobWithProgress> {
    const { restorePointId } = input;
    const job = await this.mutations.run({
      name: 'restoreVm',
      target: restorePointId,
      input,
      work: async (em) => {
        const point = await getRestorePointRow(em, restorePointId);
        const { tenantId, vmId, vaultId } = point;
        const { target, srId, networkMap } = await checkPlacement(em, tenantId, input);
        const own = target.poolOwnerId === tenantId ? { poolId: target.poolId as PoolId } : {};
        const value = await this.launching.insert<WorkflowInput>(em, {
          kind: 'RESTORE',
          tenantId,
          vmId,
          vaultId,
          restorePointId: point.id,
          ...own,
          input: { restorePointId: point.id, vaultId, target, srId, networkMap, name: input.name ?? null },
        });
        const subject: NodeKey = { type: 'Job', tenantId, id: value.id };
        const data = {
          jobId: toGlobalId('Job', tenantId, value.id),
          kind: 'RESTORE',
          state: 'QUEUED',
          vmId: toGlobalId('Vm', tenantId, vmId),
        };
        const detail = { target: { ...target }, srId, name: input.name ?? null };
        return { value, subject, event: eventOf('QUEUED'), data, detail };
      },
      replay: async (em, id) => await getJobRow(em, { tenantId: restorePointId.tenantId, id }),
    });
    await this.launching.launch(job);
    return await this.jobs.getJob({ type: 'Job', tenantId: job.tenantId, id: job.id });
  }
}

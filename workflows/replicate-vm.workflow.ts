import type { JobResult, ReplicateVmInput } from './contract/index.ts';
import { restoreSteps } from './restore-steps.ts';
import { runJob } from './run-job.ts';

/** The newest or a given restore point of a plan's VM, as a replica where the plan says. */
export async function replicateVm(input: ReplicateVmInput): Promise<JobResult> {
  return await runJob('REPLICATION', input, async (job) => {
    const { replicationPlanId, restorePointId, patience } = input;
    const prepared = await job.control.prepareReplication({ ...job.ref, replicationPlanId, restorePointId });
    return await restoreSteps(job, {
      prepared,
      patience,
      record: async (restored) => await job.control.recordReplica({ ...restored, replicationPlanId }),
    });
  });
}

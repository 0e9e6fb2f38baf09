import type { JobResult, RestoreVmInput } from './contract/index.ts';
import { restoreSteps } from './restore-steps.ts';
import { runJob } from './run-job.ts';

/** A restore point as a new VM, in another pool or beside the original. */
export async function restoreVm({ patience, ...input }: RestoreVmInput): Promise<JobResult> {
  return await runJob('RESTORE', { ...input, patience }, async (job) => {
    const prepared = await job.control.prepareRestore(input);
    return await restoreSteps(job, {
      prepared,
      patience,
      record: async (restored) => await job.control.recordRestore(restored),
    });
  });
}

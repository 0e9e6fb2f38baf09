import { CancellationScope, isCancellation, workflowInfo } from '@temporalio/workflow';
import { controlActivities } from './activity-proxies.ts';
import type { ControlActivities, JobInput, JobKind, JobOutcome, JobRef, JobResult } from './contract/index.ts';
import { failsWith, toJobFailure } from './failures.ts';

export interface RunningJob {
  readonly ref: JobRef;
  readonly control: ControlActivities;
  /** What the job's reader should know although it succeeded. */
  readonly warnings: string[];
}

/**
 * The frame of every job: takes the row (QUEUED → RUNNING), does the work, sets the terminal state. The work cleans up
 * after itself. Fails as the work failed, so that the workflow's own state says the same as the row.
 */
export async function runJob(
  kind: JobKind,
  input: JobInput,
  work: (job: RunningJob) => Promise<JobResult>,
): Promise<JobResult> {
  const ref: JobRef = { tenantId: input.tenantId, jobId: input.jobId };
  const { runId } = workflowInfo();
  const control = controlActivities();
  const job: RunningJob = { ref, control, warnings: [] };
  try {
    await CancellationScope.nonCancellable(async () => await control.beginJob({ ...ref, kind, runId }));
    const result = await work(job);
    await finish(job, { state: 'SUCCEEDED', result, warnings: job.warnings });
    return result;
  } catch (error) {
    if (!failsWith(error, 'JOB_STATE_CONFLICT')) {
      await finish(job, failedOutcome(error, job.warnings));
    }
    throw error;
  }
}

async function finish(job: RunningJob, outcome: JobOutcome): Promise<void> {
  const { runId } = workflowInfo();
  await CancellationScope.nonCancellable(async () => await job.control.finishJob({ ...job.ref, runId, outcome }));
}

function failedOutcome(error: unknown, warnings: readonly string[]): JobOutcome {
  if (isCancellation(error) || failsWith(error, 'JOB_CANCELLED')) {
    return { state: 'CANCELLED', warnings };
  }
  return { state: 'FAILED', failure: toJobFailure(error), warnings };
}

import { CancellationScope, isCancellation, workflowInfo } from '@temporalio/workflow';
import { controlActivities } from './activity-proxies.ts';
import type { Cleaning } from './clean-up.ts';
import type { ControlActivities, JobInput, JobKind, JobOutcome, JobRef, JobResult } from './contract/index.ts';
import { failsWith, toJobFailure } from './failures.ts';

export interface RunningJob extends Cleaning {
  readonly ref: JobRef;
  readonly control: ControlActivities;
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
  const job: RunningJob = { ref, control, warnings: [], leftBehind: false };
  try {
    await CancellationScope.nonCancellable(async () => await control.beginJob({ ...ref, kind, runId }));
    const result = await work(job);
    await finish(job, { state: 'SUCCEEDED', result, ...endOf(job) });
    return result;
  } catch (error) {
    if (!failsWith(error, 'JOB_STATE_CONFLICT')) {
      await finish(job, failedOutcome(error, job));
    }
    throw error;
  }
}

async function finish(job: RunningJob, outcome: JobOutcome): Promise<void> {
  const { runId } = workflowInfo();
  await CancellationScope.nonCancellable(async () => await job.control.finishJob({ ...job.ref, runId, outcome }));
}

function endOf({ warnings, leftBehind }: Cleaning): Cleaning {
  return { warnings, leftBehind };
}

function failedOutcome(error: unknown, job: Cleaning): JobOutcome {
  if (isCancellation(error) || failsWith(error, 'JOB_CANCELLED')) {
    return { state: 'CANCELLED', ...endOf(job) };
  }
  return { state: 'FAILED', failure: toJobFailure(error), ...endOf(job) };
}

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Mutations } from '../../platform/mutations/mutations.ts';
import { eventOf, isFinished, mayBecome } from './job-state.ts';
import { jobEvent } from './job-event.ts';
import { jobNotCancellable } from './job.errors.ts';
import type { JobRow } from './job.entity.ts';
import type { CancelJobInput } from './job.input.ts';
import { getJobRow, JobService } from './job.service.ts';
import type { JobWithProgress } from './job.view.ts';
import { JobWorkflows } from './job-workflows.ts';
import { moveJob } from './move-job.ts';

/** QUEUED or RUNNING → CANCELLING; the workflow then ends it. One that never starts is ended by the reconciler. */
@Injectable()
export class CancelJobService {
  constructor(
    private readonly mutations: Mutations,
    private readonly jobs: JobService,
    private readonly workflows: JobWorkflows,
  ) {}

  async cancelJob(input: CancelJobInput): Promise<JobWithProgress> {
    const { jobId } = input;
    const job = await this.mutations.run({
      name: 'cancelJob',
      target: jobId,
      input,
      work: async (em) => {
        const value = await beginCancelling(em, await getJobRow(em, jobId));
        return { value, subject: jobId, event: eventOf('CANCELLING'), data: jobEvent(value).data ?? {} };
      },
      replay: async (em) => await getJobRow(em, jobId),
    });
    if (!isFinished(job.state)) {
      await this.workflows.cancel(job).catch(() => {
        // The row says CANCELLING; the reconciler tells the workflow.
      });
    }
    return await this.jobs.getJob(jobId);
  }
}

async function beginCancelling(em: EntityManager, job: JobRow): Promise<JobRow> {
  if (job.state === 'CANCELLING') {
    return job;
  }
  if (!mayBecome(job.state, 'CANCELLING')) {
    throw jobNotCancellable(job);
  }
  const moved = await moveJob(em, job, 'CANCELLING', {});
  if (moved === null) {
    throw jobNotCancellable(await getJobRow(em, job));
  }
  return moved;
}

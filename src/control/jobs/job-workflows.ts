import { Inject, Injectable } from '@nestjs/common';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import {
  controlQueue,
  RECOVER_JOB,
  recoveryIdOf,
  workflowIdOf,
  WORKFLOW_OF_KIND,
  type RecoverJobInput,
} from '../../../workflows/contract/index.ts';
import { TEMPORAL, type TemporalAccess } from '../../platform/temporal/temporal-client.module.ts';
import type { JobRow } from './job.entity.ts';

/** Not there (never started, or forgotten), open, or closed. */
export type WorkflowFound = 'NONE' | 'OPEN' | 'CLOSED';

type JobKey = Pick<JobRow, 'kind' | 'tenantId' | 'id'>;

/** How long an answer from Temporal is waited for, in milliseconds. */
const PATIENCE_MS = 10_000;

/** A job's workflow, found by the job's own id. Temporal's errors come through as they are. */
@Injectable()
export class JobWorkflows {
  constructor(@Inject(TEMPORAL) private readonly temporal: TemporalAccess) {}

  /** Starts it, or finds it running. One that has closed never runs again: WorkflowExecutionAlreadyStartedError. */
  async start({ kind, tenantId, id, input }: JobKey & Pick<JobRow, 'input'>): Promise<void> {
    await this.#ask(async ({ workflow }) => {
      await workflow.start(WORKFLOW_OF_KIND[kind], {
        workflowId: workflowIdOf(kind, id),
        taskQueue: controlQueue(this.temporal.taskQueuePrefix),
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        priority: { fairnessKey: tenantId },
        args: [input],
      });
    });
  }

  async find(job: JobKey): Promise<WorkflowFound> {
    return await this.#ask(async ({ workflow }) => {
      try {
        const { status } = await workflow.getHandle(workflowIdOf(job.kind, job.id)).describe();
        return status.name === 'RUNNING' ? 'OPEN' : 'CLOSED';
      } catch (error) {
        return notThere(error);
      }
    });
  }

  /** Asks an open workflow to end; one that isn't open is fine. */
  async cancel(job: JobKey): Promise<void> {
    await this.#ask(async ({ workflow }) => {
      await workflow.getHandle(workflowIdOf(job.kind, job.id)).cancel().catch(notThere);
    });
  }

  /** Removes what a lost run left behind, then ends the job as told. Asked again while it runs: nothing happens. */
  async recover(input: RecoverJobInput): Promise<void> {
    await this.#ask(async ({ workflow }) => {
      await workflow.start(RECOVER_JOB, {
        workflowId: recoveryIdOf(input.jobId),
        taskQueue: controlQueue(this.temporal.taskQueuePrefix),
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        priority: { fairnessKey: input.tenantId },
        args: [input],
      });
    });
  }

  async #ask<T>(question: (client: Client) => Promise<T>): Promise<T> {
    const { client } = this.temporal;
    return await client.connection.withDeadline(Date.now() + PATIENCE_MS, async () => await question(client));
  }
}

function notThere(error: unknown): 'NONE' {
  if (error instanceof WorkflowNotFoundError) {
    return 'NONE';
  }
  throw error;
}

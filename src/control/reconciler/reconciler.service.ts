import { Injectable, Logger } from '@nestjs/common';
import { limit } from '../../kernel/limit.ts';
import { toId, type JobId, type TenantId } from '../../kernel/ids.ts';
import { systemActor } from '../../platform/auth/actor.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import type { JobOutcome } from '../../../workflows/contract/index.ts';
import { JobRunService } from '../jobs/job-run.service.ts';
import { JobWorkflows } from '../jobs/job-workflows.ts';
import { decide, type Remedy } from './decide.ts';
import { WorkerListsService, type ListedJob } from './worker-lists.service.ts';

export interface ReconcileOptions {
  /** Rows younger than this are left to whoever is at work on them, in milliseconds. */
  readonly idleMs: number;
  /** How far back ended jobs are looked at, in milliseconds. */
  readonly endedWithinMs: number;
}

const MOST = 1000;
const AT_A_TIME = 8;
const log = new Logger('Reconciler');

/** Brings rows and workflows together again, whichever of them was lost. Safe to run in several processes. */
@Injectable()
export class ReconcilerService {
  constructor(
    private readonly lists: WorkerListsService,
    private readonly workflows: JobWorkflows,
    private readonly runs: JobRunService,
    private readonly scope: TenantScope,
  ) {}

  /** Looks at every pair once; gives back how often each remedy was needed. One pair's failure doesn't stop the others. */
  async reconcile({ idleMs, endedWithinMs }: ReconcileOptions): Promise<Readonly<Partial<Record<Remedy, number>>>> {
    const jobs = [
      ...(await this.lists.jobsToReconcile(idleMs, MOST)),
      ...(await this.lists.jobsEnded(endedWithinMs, MOST)),
    ];
    const counts: Partial<Record<Remedy, number>> = {};
    const bounded = limit(AT_A_TIME);
    const look = async (job: ListedJob): Promise<void> => {
      try {
        const remedy = await this.#reconcileOne(job);
        counts[remedy] = (counts[remedy] ?? 0) + 1;
      } catch (error) {
        log.warn({ jobId: job.jobId, state: job.state, err: error });
      }
    };
    await Promise.all(jobs.map(async (job) => await bounded(async () => await look(job))));
    for (const job of await this.lists.jobsWithLeftovers(MOST)) {
      await this.#sweep(job);
    }
    return counts;
  }

  /** Tries a clean-up again that was not complete: the job's end stands. */
  async #sweep({ tenantId, jobId, runId }: ListedJob): Promise<void> {
    const actor = systemActor('reconciler', toId<TenantId>(tenantId));
    await this.scope.run(actor, null, async () => {
      const { patience } = (await this.runs.getJob({ tenantId, jobId })).input;
      const outcome: JobOutcome = { state: 'CANCELLED', warnings: [] };
      await this.workflows.recover({ tenantId, jobId, patience, lostRunId: runId, outcome });
    });
  }

  async #reconcileOne(job: ListedJob): Promise<Remedy> {
    const key = { kind: job.kind, tenantId: toId<TenantId>(job.tenantId), id: toId<JobId>(job.jobId) };
    const remedy = decide(job, await this.workflows.find(key));
    if (remedy === 'CANCEL') {
      await this.workflows.cancel(key);
    } else if (remedy !== 'LEAVE') {
      const actor = systemActor('reconciler', key.tenantId);
      await this.scope.run(actor, null, async () => await this.#mend(job, remedy));
    }
    return remedy;
  }

  async #mend({ tenantId, jobId, runId, state }: ListedJob, remedy: 'START' | 'END' | 'RECOVER'): Promise<void> {
    const row = await this.runs.getJob({ tenantId, jobId });
    if (row.state !== state) {
      return; // somebody was faster; the next look sees what came of it
    }
    if (remedy === 'START') {
      await this.workflows.start(row);
    } else if (remedy === 'END') {
      await this.runs.finishJob({ tenantId, jobId, runId, outcome: outcomeOf(state) });
    } else {
      const { patience } = row.input;
      await this.workflows.recover({ tenantId, jobId, patience, lostRunId: runId, outcome: outcomeOf(state) });
    }
  }
}

function outcomeOf(state: ListedJob['state']): JobOutcome {
  if (state === 'CANCELLING') {
    return { state: 'CANCELLED', warnings: [] };
  }
  const message = 'The job’s workflow ended or was lost before the job was done.';
  return { state: 'INTERRUPTED', failure: { code: 'JOB_INTERRUPTED', message, hint: null }, warnings: [] };
}

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AppError, type ErrorCode } from '../../kernel/errors.ts';
import { ERROR_CODES } from '../../kernel/error-codes.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { EventWriter } from '../../platform/mutations/event-writer.ts';
import type { BeginJobInput, FinishJobInput, JobOutcome, JobRef } from '../../../workflows/contract/index.ts';
import { concealing, type Ground } from '../access/conceal.service.ts';
import { jobEvent } from './job-event.ts';
import type { JobJournal } from './job-journal.ts';
import { isFinished, type JobState } from './job-state.ts';
import { jobStateConflict } from './job.errors.ts';
import { JobRow } from './job.entity.ts';
import { getJobRow } from './job.service.ts';
import { moveJob } from './move-job.ts';

/** What a job's own workflow does to its row. Runs as the job's tenant. */
@Injectable()
export class JobRunService {
  constructor(
    private readonly db: TenantDb,
    private readonly events: EventWriter,
  ) {}

  /** The job's row; NOT_FOUND where the payload names another tenant's job or one of another kind of thing. */
  async getJob({ tenantId, jobId }: JobRef): Promise<JobRow> {
    return await this.db.run(async (em) => await getJobRow(em, { tenantId, id: jobId }));
  }

  /** QUEUED → RUNNING by compare-and-set; again with the same run: nothing happens. */
  async beginJob({ tenantId, jobId, kind, runId }: BeginJobInput): Promise<void> {
    await this.db.run(async (em) => {
      const job = await lockJob(em, { tenantId, jobId });
      if (job.kind !== kind) {
        throw jobStateConflict(jobId, job.kind, job.runId);
      }
      if (job.state === 'CANCELLING' && (job.runId ?? runId) === runId) {
        await em.update(JobRow, { tenantId: job.tenantId, id: job.id }, { runId });
        throw new AppError('JOB_CANCELLED', `Job ${jobId} was cancelled before it began.`);
      }
      if (job.state === 'RUNNING' && job.runId === runId) {
        return;
      }
      const moved = job.state === 'QUEUED' ? await moveJob(em, job, 'RUNNING', { runId, startedAt: new Date() }) : null;
      if (moved === null) {
        throw jobStateConflict(jobId, job.state, job.runId);
      }
      await this.events.write(em, jobEvent(moved));
    });
  }

  /** What a clean-up has to know: written before the world is touched, and kept. */
  async journal({ tenantId, jobId }: JobRef, journal: JobJournal): Promise<void> {
    await this.db.run(async (em) => {
      const job = await lockJob(em, { tenantId, jobId });
      if (isFinished(job.state)) {
        throw jobStateConflict(jobId, job.state, job.runId);
      }
      await em.update(JobRow, { tenantId: job.tenantId, id: job.id }, { journal: { ...job.journal, ...journal } });
    });
  }

  /** Sets the end; again with the same run: only whether something was left behind. JOB_STATE_CONFLICT where another run has the job. */
  async finishJob({ tenantId, jobId, runId, outcome }: FinishJobInput): Promise<void> {
    await this.db.run(async (em) => {
      const job = await lockJob(em, { tenantId, jobId });
      if (job.runId !== runId) {
        throw jobStateConflict(jobId, job.state, job.runId);
      }
      const journal = { ...job.journal, leftBehind: outcome.leftBehind === true };
      if (isFinished(job.state)) {
        await em.update(JobRow, { tenantId: job.tenantId, id: job.id }, { journal });
        return;
      }
      const columns = concealed(columnsOf(outcome), await concealing(em, groundOf(job)));
      const moved = await moveJob(em, job, stateOf(outcome), { ...columns, journal });
      if (moved === null) {
        throw jobStateConflict(jobId, job.state, job.runId);
      }
      await this.events.write(em, jobEvent(moved));
    });
  }
}

/** What the job stood on: its tenant reads the outcome, and may be a guest there. */
function groundOf({ tenantId, vmId, vaultId, poolId, replicationPlanId, input }: JobRow): Ground {
  const target = 'target' in input ? (input.target as { readonly poolId?: string }) : {};
  return { tenantId, vmId, vaultId, replicationPlanId, poolId: target.poolId ?? poolId };
}

function concealed(columns: EndColumns, conceal: (text: string) => string): EndColumns {
  const { warnings = [], errorMessage, errorHint } = columns;
  return {
    ...columns,
    warnings: warnings.map(conceal),
    ...(typeof errorMessage === 'string' ? { errorMessage: conceal(errorMessage) } : {}),
    ...(typeof errorHint === 'string' ? { errorHint: conceal(errorHint) } : {}),
  };
}

async function lockJob(em: EntityManager, { tenantId, jobId }: JobRef): Promise<JobRow> {
  await em.query('select 1 from app.job where tenant_id = $1 and id = $2 for update', [tenantId, jobId]);
  return await getJobRow(em, { tenantId, id: jobId });
}

function stateOf(outcome: JobOutcome): JobState {
  return outcome.state === 'SUCCEEDED' && outcome.warnings.length > 0 ? 'SUCCEEDED_WITH_WARNINGS' : outcome.state;
}

type EndColumns = Partial<
  Pick<JobRow, 'result' | 'warnings' | 'errorCode' | 'errorMessage' | 'errorHint' | 'restorePointId'>
>;

function columnsOf(outcome: JobOutcome): EndColumns {
  const warnings = [...outcome.warnings];
  if (outcome.state === 'SUCCEEDED') {
    return { result: outcome.result, warnings };
  }
  if (outcome.state === 'CANCELLED') {
    return {
      warnings,
      errorCode: 'JOB_CANCELLED',
      errorMessage: 'The job was cancelled.',
      errorHint: ERROR_CODES.JOB_CANCELLED.hint,
    };
  }
  const { message, hint } = outcome.failure;
  const code = outcome.failure.code in ERROR_CODES ? (outcome.failure.code as ErrorCode) : 'INTERNAL';
  return { warnings, errorCode: code, errorMessage: message, errorHint: hint ?? ERROR_CODES[code].hint };
}

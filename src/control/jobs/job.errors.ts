import { AppError, type ErrorCode } from '../../kernel/errors.ts';
import type { JobRow } from './job.entity.ts';

/** Outcomes that a client is expected to handle: they come back as `userErrors`. */
export const JOB_USER_ERRORS = [
  'JOB_NOT_CANCELLABLE',
  'VERSION_CONFLICT',
  'TENANT_SUSPENDED',
] as const satisfies readonly ErrorCode[];

export function jobNotCancellable(job: Pick<JobRow, 'state'>): AppError {
  return new AppError('JOB_NOT_CANCELLABLE', `The job has already ended (${job.state}).`, { data: { field: 'jobId' } });
}

export function jobStateConflict(jobId: string, state: string, runId: string | null): AppError {
  return new AppError('JOB_STATE_CONFLICT', `Job ${jobId} is ${state} and belongs to run ${runId ?? '(none)'}.`);
}

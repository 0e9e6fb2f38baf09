import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import type { JobFailure } from './contract/index.ts';

/** What a job's row says about an error that ended it. */
export function toJobFailure(error: unknown): JobFailure {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) {
    return { code: cause.type ?? 'INTERNAL', message: cause.message, hint: hintOf(cause.details) };
  }
  if (cause instanceof TimeoutFailure) {
    return timeOut(cause, error instanceof ActivityFailure ? error.activityType : 'workflow');
  }
  return { code: 'INTERNAL', message: cause instanceof Error ? cause.message : String(cause), hint: null };
}

export function failsWith(error: unknown, code: string): boolean {
  return toJobFailure(error).code === code;
}

/** The mapper of errors puts `{ hint, data }` first among a failure's details. */
function hintOf(details: readonly unknown[] | null | undefined): string | null {
  const first = details?.[0];
  const hint = typeof first === 'object' && first !== null && 'hint' in first ? first.hint : null;
  return typeof hint === 'string' ? hint : null;
}

function timeOut(failure: TimeoutFailure, step: string): JobFailure {
  if (failure.timeoutType === 'SCHEDULE_TO_START') {
    return { code: 'MOVER_ABSENT', message: `No mover of the site took up the step ${step}.`, hint: null };
  }
  if (failure.timeoutType === 'HEARTBEAT') {
    return { code: 'MOVER_LOST', message: `The mover went away during the step ${step}, again and again.`, hint: null };
  }
  return { code: 'STEP_TIMED_OUT', message: `The step ${step} took longer than it may.`, hint: null };
}

export const JOB_STATES = [
  'QUEUED',
  'RUNNING',
  'CANCELLING',
  'SUCCEEDED',
  'SUCCEEDED_WITH_WARNINGS',
  'FAILED',
  'CANCELLED',
  'SKIPPED',
  'INTERRUPTED',
  'EXPIRED',
] as const;
export type JobState = (typeof JOB_STATES)[number];

const ENDS = ['SUCCEEDED', 'SUCCEEDED_WITH_WARNINGS', 'FAILED', 'CANCELLED', 'INTERRUPTED'] as const;

/**
 * Where a job may go from each state. A job that is being cancelled may still succeed: its workflow was past the point
 * of no return. What has ended stays as it is.
 */
const NEXT: Readonly<Record<JobState, readonly JobState[]>> = {
  QUEUED: ['RUNNING', 'CANCELLING', 'CANCELLED', 'FAILED', 'SKIPPED', 'INTERRUPTED', 'EXPIRED'],
  RUNNING: ['CANCELLING', ...ENDS],
  CANCELLING: ENDS,
  SUCCEEDED: [],
  SUCCEEDED_WITH_WARNINGS: [],
  FAILED: [],
  CANCELLED: [],
  SKIPPED: [],
  INTERRUPTED: [],
  EXPIRED: [],
};

export function isFinished(state: JobState): boolean {
  return NEXT[state].length === 0;
}

export function mayBecome(from: JobState, to: JobState): boolean {
  return NEXT[from].includes(to);
}

/** The states that a compare-and-set into `to` may start from. */
export function statesBefore(to: JobState): JobState[] {
  return JOB_STATES.filter((from) => mayBecome(from, to));
}

/** The event that a transition writes: `job.running`, `job.succeeded_with_warnings`. */
export function eventOf(state: JobState): string {
  return `job.${state.toLowerCase()}`;
}

export const JOB_KINDS = ['BACKUP', 'RESTORE', 'REPLICATION', 'POOL_INVENTORY', 'VAULT_CREATION'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

/** Every activity's input begins with these two: the tenant opens the scope, the row must agree with both. */
export interface JobRef {
  readonly tenantId: string;
  readonly jobId: string;
}

/** How long what is unavailable is tried again, per activity: `attempts` in all, the wait doubling from `firstDelayMs` up to a minute. */
export interface Patience {
  readonly attempts: number;
  readonly firstDelayMs: number;
  /** A mover that is silent for so long is thought dead; 30 s if absent. */
  readonly heartbeatTimeoutMs?: number;
}

export interface JobInput extends JobRef {
  readonly patience: Patience;
}

export interface JobFailure {
  /** A code of the closed list. */
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

/** Ids and numbers for whoever reads the job; the keys depend on the kind. */
export type JobResult = Readonly<Record<string, string | number | boolean | null>>;

interface Ended {
  readonly warnings: readonly string[];
  /** Clean-up could not be completed: somebody has to come back to it. */
  readonly leftBehind?: boolean;
}

/** How a job ends. */
export type JobOutcome =
  | (Ended & { readonly state: 'SUCCEEDED'; readonly result: JobResult })
  | (Ended & { readonly state: 'FAILED' | 'INTERRUPTED'; readonly failure: JobFailure })
  | (Ended & { readonly state: 'CANCELLED' });

export interface BeginJobInput extends JobRef {
  readonly kind: JobKind;
  /** Temporal's run id: the job belongs to this run from now on. */
  readonly runId: string;
}

export interface FinishJobInput extends JobRef {
  /** The run that has the job; null where none ever began it. */
  readonly runId: string | null;
  readonly outcome: JobOutcome;
}

/** Implemented by src/activities/job.activities.ts; run on the control queue. */
export interface JobActivities {
  /** QUEUED → RUNNING, compare-and-set. JOB_CANCELLED when cancelling came first, JOB_STATE_CONFLICT when another run has the job. */
  beginJob(input: BeginJobInput): Promise<void>;
  /** Sets the terminal state; again with the same run: nothing happens. JOB_STATE_CONFLICT as above. */
  finishJob(input: FinishJobInput): Promise<void>;
}

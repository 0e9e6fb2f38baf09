import type { BackupRef } from './backup.ts';
import type { JobInput, JobOutcome, JobRef } from './jobs.ts';
import type { RestoreRef } from './restore.ts';

export interface RecoverJobInput extends JobInput {
  /** The run that is gone; null where the job was never begun. */
  readonly lostRunId: string | null;
  /** What the job ends as once nothing of it is left in the world. */
  readonly outcome: JobOutcome;
}

/** What the job had journalled before it touched the world. */
export type LeftBehind =
  | { readonly kind: 'NOTHING' }
  | {
      readonly kind: 'BACKUP';
      readonly siteQueue: string;
      readonly backup: BackupRef & { readonly snapshotName: string };
    }
  | { readonly kind: 'RESTORE'; readonly siteQueue: string; readonly restore: RestoreRef };

/** Database alone; control queue. */
export interface RecoveryActivities {
  findLeftBehind(input: JobRef): Promise<LeftBehind>;
}

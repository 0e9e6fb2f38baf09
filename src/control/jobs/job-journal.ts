import type { BackupRef, RestoreRef } from '../../../workflows/contract/index.ts';

/** What a clean-up has to know, written before the world is touched: ids and a random name, never a secret. */
export interface JobJournal {
  readonly siteId?: string;
  /** The job's own clean-up was not complete; the reconciler comes back to it. */
  readonly leftBehind?: boolean;
  readonly backup?: BackupRef & { readonly snapshotName: string };
  readonly restore?: RestoreRef;
}

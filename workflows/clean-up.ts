import { CancellationScope, log } from '@temporalio/workflow';
import type { CleanedUp } from './contract/index.ts';
import { toJobFailure } from './failures.ts';

/** What becomes of a clean-up. */
export interface Cleaning {
  readonly warnings: string[];
  leftBehind: boolean;
}

/**
 * Cleans up whatever happened before, cancelled or not. Where that is impossible it becomes a warning: the job's own
 * end is what its reader asked for, and the reconciler comes back for what stayed.
 */
export async function cleanUp(job: Cleaning, work: () => Promise<CleanedUp>): Promise<void> {
  try {
    const { left } = await CancellationScope.nonCancellable(work);
    job.warnings.push(...left.map((what) => `Clean-up left ${what}`));
  } catch (error) {
    const { code, message } = toJobFailure(error);
    log.warn('Clean-up failed', { code, message });
    job.leftBehind = true;
    job.warnings.push(`Clean-up is not complete (${code}): ${message}`);
  }
}

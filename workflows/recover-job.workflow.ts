import { controlActivities, siteActivities } from './activity-proxies.ts';
import { cleanUp, type Cleaning } from './clean-up.ts';
import type { LeftBehind, Patience, RecoverJobInput } from './contract/index.ts';

/** A job whose own workflow is closed or lost: removes what it left behind, then sets its end unless it has one. */
export async function recoverJob(input: RecoverJobInput): Promise<void> {
  const { tenantId, jobId, lostRunId, outcome } = input;
  const control = controlActivities();
  const cleaning: Cleaning = { warnings: [...outcome.warnings], leftBehind: false };
  await removeLeftovers(await control.findLeftBehind({ tenantId, jobId }), input.patience, cleaning);
  await control.finishJob({ tenantId, jobId, runId: lostRunId, outcome: { ...outcome, ...cleaning } });
}

async function removeLeftovers(left: LeftBehind, patience: Patience, cleaning: Cleaning): Promise<void> {
  switch (left.kind) {
    case 'BACKUP':
      await cleanUp(cleaning, async () => await siteActivities(left.siteQueue, patience).cleanUpBackup(left.backup));
      return;
    case 'RESTORE':
      await cleanUp(cleaning, async () => await siteActivities(left.siteQueue, patience).cleanUpRestore(left.restore));
      return;
    case 'NOTHING':
  }
}

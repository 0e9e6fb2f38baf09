import { controlActivities, siteActivities } from './activity-proxies.ts';
import { cleanUp } from './clean-up.ts';
import type { LeftBehind, Patience, RecoverJobInput } from './contract/index.ts';

/** A job whose own workflow is closed or lost: removes what it left behind, then sets its end. */
export async function recoverJob(input: RecoverJobInput): Promise<void> {
  const { tenantId, jobId, lostRunId, outcome } = input;
  const control = controlActivities();
  const warnings = [...outcome.warnings];
  await removeLeftovers(await control.findLeftBehind({ tenantId, jobId }), input.patience, warnings);
  await control.finishJob({ tenantId, jobId, runId: lostRunId, outcome: { ...outcome, warnings } });
}

async function removeLeftovers(left: LeftBehind, patience: Patience, warnings: string[]): Promise<void> {
  switch (left.kind) {
    case 'BACKUP':
      await cleanUp(warnings, async () => await siteActivities(left.siteQueue, patience).cleanUpBackup(left.backup));
      return;
    case 'RESTORE':
      await cleanUp(warnings, async () => await siteActivities(left.siteQueue, patience).cleanUpRestore(left.restore));
      return;
    case 'NOTHING':
  }
}

import { randomUUID } from 'node:crypto';
import type { JobInput, SiteActivities } from '../../workflows/contract/index.ts';
import { RECOVER_JOB, WORKFLOW_OF_KIND } from '../../workflows/contract/index.ts';
import { endWhenCancelled, failure, POOL_ID, recordedSite, type Recording } from '../workflows/recorded-activities.ts';

/** One life of one workflow, whose history is kept. */
export interface Scenario {
  /** The history's file name. */
  readonly name: string;
  readonly workflow: string;
  readonly input: () => JobInput;
  readonly site?: (recording: Recording) => Partial<SiteActivities>;
  /** Cancel once an activity that begins with this was called. */
  readonly cancelAt?: string;
}

function job(rest: object): JobInput {
  return { tenantId: randomUUID(), jobId: randomUUID(), patience: { attempts: 2, firstDelayMs: 10 }, ...rest };
}

function backup(): JobInput {
  return job({ vmId: randomUUID(), vaultId: randomUUID(), changedBlocks: true, pauseForConsistency: true });
}

function restore(): JobInput {
  const target = { poolOwnerId: randomUUID(), poolId: POOL_ID, poolGrantId: null };
  const places = { srId: randomUUID(), networkMap: [], name: null };
  return job({ restorePointId: randomUUID(), vaultId: randomUUID(), target, ...places });
}

async function refuse(): Promise<never> {
  throw failure('SR_FULL', 'The SR is full.');
}

/** Holds a disk until the job is cancelled. */
async function hold(recording: Recording, disk: string): Promise<never> {
  recording.calls.push(`holding ${disk}`);
  await endWhenCancelled(recording, disk);
  throw new Error('only a cancellation ends this');
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'backup-vm', workflow: WORKFLOW_OF_KIND.BACKUP, input: backup },
  {
    name: 'backup-vm-warned',
    workflow: WORKFLOW_OF_KIND.BACKUP,
    input: backup,
    site: () => ({ cleanUpBackup: refuse }),
  },
  {
    name: 'backup-vm-failed',
    workflow: WORKFLOW_OF_KIND.BACKUP,
    input: backup,
    site: (recording) => ({
      backupDisk: async (input) =>
        input.disk.name === 'b' ? await refuse() : await recordedSite(recording).backupDisk(input),
    }),
  },
  {
    name: 'backup-vm-cancelled',
    workflow: WORKFLOW_OF_KIND.BACKUP,
    input: backup,
    site: (recording) => ({ backupDisk: async ({ disk }) => await hold(recording, disk.name) }),
    cancelAt: 'holding',
  },
  { name: 'restore-vm', workflow: WORKFLOW_OF_KIND.RESTORE, input: restore },
  {
    name: 'restore-vm-failed',
    workflow: WORKFLOW_OF_KIND.RESTORE,
    input: restore,
    site: () => ({ restoreDisk: refuse }),
  },
  {
    name: 'replicate-vm',
    workflow: WORKFLOW_OF_KIND.REPLICATION,
    input: () => job({ replicationPlanId: randomUUID(), restorePointId: null }),
  },
  {
    name: 'inventory-pool',
    workflow: WORKFLOW_OF_KIND.POOL_INVENTORY,
    input: () => job({ poolId: POOL_ID }),
  },
  {
    name: 'inventory-pool-failed',
    workflow: WORKFLOW_OF_KIND.POOL_INVENTORY,
    input: () => job({ poolId: POOL_ID }),
    site: () => ({ probePool: refuse }),
  },
  {
    name: 'create-vault',
    workflow: WORKFLOW_OF_KIND.VAULT_CREATION,
    input: () => job({ vaultId: randomUUID() }),
  },
  {
    name: 'recover-job',
    workflow: RECOVER_JOB,
    input: () => job({ lostRunId: randomUUID(), outcome: { state: 'CANCELLED', warnings: [] } }),
  },
];

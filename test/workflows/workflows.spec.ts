import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { WorkflowFailedError } from '@temporalio/client';
import { afterEach, describe, expect, it } from 'vitest';
import {
  siteQueue,
  type BackupVmInput,
  type ControlActivities,
  type JobKind,
  type JobOutcome,
  type JobInput,
  type ReplicateVmInput,
  type RestoreVmInput,
  type SiteActivities,
} from '../../workflows/contract/index.ts';
import { testTemporal } from '../support/test-temporal.ts';
import {
  endWhenCancelled,
  failure,
  POOL_ID,
  recordedControl,
  recordedSite,
  SITE_ID,
  type Recording,
} from './recorded-activities.ts';
import { startHarness, type Harness } from './workflow-harness.ts';

const running: Harness[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map(async (harness) => await harness.stop()));
});

interface Changes {
  readonly control?: (recording: Recording) => Partial<ControlActivities>;
  readonly site?: (recording: Recording) => Partial<SiteActivities>;
}

async function harnessWith(changes: Changes): Promise<{ readonly harness: Harness; readonly recording: Recording }> {
  const recording: Recording = { calls: [], outcome: undefined };
  const server = testTemporal();
  const harness = await startHarness(
    server,
    { ...recordedControl(recording, siteQueue(server.taskQueuePrefix, SITE_ID)), ...changes.control?.(recording) },
    { ...recordedSite(recording), ...changes.site?.(recording) },
  );
  running.push(harness);
  return { harness, recording };
}

function jobInput(attempts = 3): JobInput {
  return { tenantId: randomUUID(), jobId: randomUUID(), patience: { attempts, firstDelayMs: 10 } };
}

function backupInput(attempts?: number): BackupVmInput {
  const job = jobInput(attempts);
  return { ...job, vmId: randomUUID(), vaultId: randomUUID(), changedBlocks: true, pauseForConsistency: true };
}

function restoreInput(): RestoreVmInput {
  const target = { poolOwnerId: randomUUID(), poolId: POOL_ID, poolGrantId: null };
  const places = { srId: randomUUID(), networkMap: [], name: null };
  return { ...jobInput(), restorePointId: randomUUID(), vaultId: randomUUID(), target, ...places };
}

async function runToEnd(kind: JobKind, input: JobInput, changes: Changes = {}): Promise<Recording> {
  const { harness, recording } = await harnessWith(changes);
  const handle = await harness.start(kind, input);
  await handle.result().catch((error: unknown) => {
    if (!(error instanceof WorkflowFailedError)) {
      throw error;
    }
  });
  return recording;
}

function stateOf(outcome: JobOutcome | undefined): string | undefined {
  return outcome?.state;
}

interface Held {
  readonly reached: Promise<void>;
  /** Called by the activity: ends when the test lets it go on. */
  readonly reach: () => Promise<void>;
  readonly goOn: () => void;
}

/** A place in an activity at which the test holds so many calls of it. */
function held(calls = 1): Held {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let missing = calls;
  const reach = async (): Promise<void> => {
    missing -= 1;
    if (missing === 0) {
      reached.resolve();
    }
    await released.promise;
  };
  return { reached: reached.promise, reach, goOn: released.resolve };
}

/** The one that is read when all others have ended: after it there is no activity left that a cancellation could stop. */
const LAST_DISK = 'c';
const RESTORED_DISKS = 2;
const BACKUP_STEPS = ['beginJob', 'prepareBackup', 'planBackup', 'snapshotVm holdfast-'];

describe('backupVm', () => {
  it('plans, snapshots, reads every disk, commits and cleans up, in this order', async () => {
    const { calls, outcome } = await runToEnd('BACKUP', backupInput());
    expect(calls.slice(0, 4)).toEqual(BACKUP_STEPS);
    expect(calls.slice(4, 7).toSorted()).toEqual(['backupDisk a', 'backupDisk b', 'backupDisk c']);
    expect(calls.slice(7)).toEqual([
      'commitRestorePoint',
      'recordRestorePoint',
      'cleanUpBackup holdfast-',
      'finishJob SUCCEEDED',
    ]);
    expect(outcome).toMatchObject({
      result: { bytesRead: 1536, bytesStored: 768, consistency: 'CRASH' },
      warnings: [],
    });
  });

  it('stops the other disks when one fails, cleans up once they have ended, and says why', async () => {
    const { calls, outcome } = await runToEnd('BACKUP', backupInput(), {
      site: (recording) => ({
        backupDisk: async ({ disk }) => {
          if (disk.name === 'b') {
            throw failure('VAULT_FULL', 'The vault has no space left.', 'Add space.');
          }
          await endWhenCancelled(recording, `backupDisk ${disk.name}`);
          throw new Error('unreachable');
        },
      }),
    });
    expect(calls.slice(4)).toEqual(['backupDisk a stopped', 'cleanUpBackup holdfast-', 'finishJob FAILED']);
    expect(outcome).toMatchObject({
      failure: { code: 'VAULT_FULL', message: 'The vault has no space left.', hint: 'Add space.' },
    });
  });

  it('tries what is unavailable again, as often as the job has patience', async () => {
    let attempts = 0;
    const { outcome } = await runToEnd('BACKUP', backupInput(2), {
      site: () => ({
        snapshotVm: async () => {
          attempts += 1;
          throw ApplicationFailure.create({ type: 'POOL_UNREACHABLE', message: 'The pool is away.' });
        },
      }),
    });
    expect(attempts).toBe(2);
    expect(outcome).toMatchObject({ state: 'FAILED', failure: { code: 'POOL_UNREACHABLE', hint: null } });
  });

  it('cleans up even where the snapshot call itself failed: it may have left something', async () => {
    const { calls } = await runToEnd('BACKUP', backupInput(), {
      site: () => ({
        snapshotVm: async () => {
          throw failure('SR_FULL', 'The SR is full.');
        },
      }),
    });
    expect(calls.slice(-2)).toEqual(['cleanUpBackup holdfast-', 'finishJob FAILED']);
  });

  it('turns a clean-up that is impossible into a warning', async () => {
    const { outcome } = await runToEnd('BACKUP', backupInput(), {
      site: () => ({
        cleanUpBackup: async () => {
          throw failure('POOL_AUTH_FAILED', 'The pool refused the password.');
        },
      }),
    });
    expect(outcome).toMatchObject({
      state: 'SUCCEEDED',
      warnings: ['Clean-up is not complete (POOL_AUTH_FAILED): The pool refused the password.'],
    });
  });

  it('waits for a cancelled disk to end, cleans up and ends CANCELLED', async () => {
    const input = backupInput();
    const { harness, recording } = await harnessWith({
      site: (world) => ({
        backupDisk: async ({ disk }) => {
          world.calls.push(`backupDisk ${disk.name}`);
          await endWhenCancelled(world, `backupDisk ${disk.name}`);
          throw new Error('unreachable');
        },
      }),
    });
    const handle = await harness.start('BACKUP', input);
    await until(() => recording.calls.filter((call) => call.startsWith('backupDisk')).length === 2);
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    const after = recording.calls.slice(6);
    expect(after.slice(0, 2).toSorted()).toEqual(['backupDisk a stopped', 'backupDisk b stopped']);
    expect(after.slice(2)).toEqual(['cleanUpBackup holdfast-', 'finishJob CANCELLED']);
    expect((await handle.describe()).status.name).toBe('CANCELLED');
  });

  it('commits nothing when it was cancelled while its last disk ended well', async () => {
    const last = held();
    const { harness, recording } = await harnessWith({
      site: (world) => ({
        backupDisk: async (input) => {
          if (input.disk.name === LAST_DISK) {
            await last.reach();
          }
          return await recordedSite(world).backupDisk(input);
        },
      }),
    });
    const handle = await harness.start('BACKUP', backupInput());
    await last.reached;
    await handle.cancel();
    last.goOn();
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    expect(recording.calls.slice(-3)).toEqual([
      `backupDisk ${LAST_DISK}`,
      'cleanUpBackup holdfast-',
      'finishJob CANCELLED',
    ]);
  });

  it('can no longer be cancelled once the vault commits', async () => {
    const commit = held();
    const { harness, recording } = await harnessWith({
      site: (world) => ({
        commitRestorePoint: async (input) => {
          await commit.reach();
          return await recordedSite(world).commitRestorePoint(input);
        },
      }),
    });
    const handle = await harness.start('BACKUP', backupInput());
    await commit.reached;
    await handle.cancel();
    commit.goOn();
    await handle.result();
    expect(recording.calls.slice(-3)).toEqual(['recordRestorePoint', 'cleanUpBackup holdfast-', 'finishJob SUCCEEDED']);
  });

  it('touches nothing when another run has the job', async () => {
    const { calls } = await runToEnd('BACKUP', backupInput(), {
      control: () => ({
        beginJob: async () => {
          throw failure('JOB_STATE_CONFLICT', 'The job has another run.');
        },
      }),
    });
    expect(calls).toEqual([]);
  });

  it('ends CANCELLED when cancelling came before it began', async () => {
    const { calls } = await runToEnd('BACKUP', backupInput(), {
      control: () => ({
        beginJob: async () => {
          throw failure('JOB_CANCELLED', 'The job was cancelled.');
        },
      }),
    });
    expect(calls).toEqual(['finishJob CANCELLED']);
  });
});

describe('restoreVm and replicateVm', () => {
  it('makes the VM, fills its disks, finishes and records it', async () => {
    const { calls, outcome } = await runToEnd('RESTORE', restoreInput());
    expect(calls.slice(0, 4)).toEqual(['beginJob', 'prepareRestore', 'planRestore', 'createVm']);
    expect(calls.slice(4, 6).toSorted()).toEqual(['restoreDisk a', 'restoreDisk b']);
    expect(calls.slice(6)).toEqual(['finishRestore', 'recordRestore', 'cleanUpRestore', 'finishJob SUCCEEDED']);
    expect(outcome).toMatchObject({ result: { vmUuid: 'new-vm', bytesWritten: 2048 } });
  });

  it('removes the half-made VM when a disk fails', async () => {
    const { calls } = await runToEnd('RESTORE', restoreInput(), {
      site: () => ({
        restoreDisk: async () => {
          throw failure('SR_FULL', 'The SR is full.');
        },
      }),
    });
    expect(calls.slice(-2)).toEqual(['cleanUpRestore', 'finishJob FAILED']);
    expect(calls).not.toContain('finishRestore');
  });

  it('finishes no VM when it was cancelled while its last disks ended well', async () => {
    const disks = held(RESTORED_DISKS);
    const { harness, recording } = await harnessWith({
      site: (world) => ({
        restoreDisk: async (input) => {
          await disks.reach();
          return await recordedSite(world).restoreDisk(input);
        },
      }),
    });
    const handle = await harness.start('RESTORE', restoreInput());
    await disks.reached;
    await handle.cancel();
    disks.goOn();
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    expect(recording.calls).not.toContain('finishRestore');
    expect(recording.calls.slice(-2)).toEqual(['cleanUpRestore', 'finishJob CANCELLED']);
  });

  it('writes the replica of a plan', async () => {
    const input: ReplicateVmInput = { ...jobInput(), replicationPlanId: randomUUID(), restorePointId: null };
    const { calls } = await runToEnd('REPLICATION', input);
    expect(calls).toContain('prepareReplication');
    expect(calls.slice(-4)).toEqual(['finishRestore', 'recordReplica', 'cleanUpRestore', 'finishJob SUCCEEDED']);
  });
});

describe('inventoryPool and createVault', () => {
  it('says on the pool why it can’t be used', async () => {
    const { calls, outcome } = await runToEnd('POOL_INVENTORY', { ...jobInput(), poolId: POOL_ID } as JobInput, {
      site: () => ({
        probePool: async () => {
          throw failure('POOL_AUTH_FAILED', 'The pool refused the password.');
        },
      }),
    });
    expect(calls).toEqual(['beginJob', 'locatePool', 'markPoolFailed POOL_AUTH_FAILED', 'finishJob FAILED']);
    expect(stateOf(outcome)).toBe('FAILED');
  });

  it('counts what the pool has', async () => {
    const { outcome } = await runToEnd('POOL_INVENTORY', { ...jobInput(), poolId: POOL_ID } as JobInput);
    expect(outcome).toMatchObject({ result: { hosts: 1, srs: 2, networks: 3, vms: 4 } });
  });

  it('makes the repository before the row says so', async () => {
    const { calls } = await runToEnd('VAULT_CREATION', { ...jobInput(), vaultId: randomUUID() } as JobInput);
    expect(calls).toEqual(['beginJob', 'createRepository', 'markVaultReady', 'finishJob SUCCEEDED']);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

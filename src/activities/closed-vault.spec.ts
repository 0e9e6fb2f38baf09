import 'reflect-metadata';
import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, it } from 'vitest';
import type { AccessService } from '../control/access/access.service.ts';
import type { JobProgressService } from '../control/jobs/job-progress.service.ts';
import { AppError } from '../kernel/errors.ts';
import { BackupActivities } from './backup.activities.ts';
import type { MoverPort } from './mover.ts';
import { RestoreActivities } from './restore.activities.ts';
import type { VaultCalls } from './vault-calls.ts';

const JOB = { tenantId: 'tenant', jobId: 'job', runId: 'run', vaultId: 'vault', restorePointId: 'point' };
const CLOSED = { tenantId: 'tenant', vaultId: 'vault', location: null };
const POOL = { address: 'pool' };

const inTurn = async (_: unknown, ask: () => Promise<unknown>): Promise<unknown> => await ask();
const client = {
  activity: { heartbeat: async () => undefined },
  withDeadline: inTurn,
  withAbortSignal: inTurn,
} as unknown as Client;

const access = {
  openVm: async () => ({ pool: POOL, vmUuid: 'vm', siteId: 'site' }),
  openPlacement: async () => ({ pool: POOL }),
  openVault: async () => {
    throw new AppError('NO_STORAGE_GRANT', 'It was revoked.');
  },
  openVaultIfAllowed: async () => CLOSED,
} as unknown as AccessService;
const calls = { of: (_: unknown, call: object) => call } as unknown as VaultCalls;
const progress = { enter: async () => undefined } as unknown as JobProgressService;

it('a clean-up goes on where the right to the vault’s storage was revoked', async () => {
  const asked: unknown[] = [];
  const clean = async (command: unknown): Promise<unknown> => {
    asked.push(command);
    return { removed: [], left: [] };
  };
  const mover = { cleanUpBackup: clean, cleanUpRestore: clean } as unknown as MoverPort;
  const backups = new BackupActivities(mover, access, calls, progress);
  const restores = new RestoreActivities(mover, access, calls, progress);
  const environment = new MockActivityEnvironment({}, { client });
  await environment.run(
    async () =>
      await backups.cleanUpBackup({ ...JOB, vmId: 'vm', baseRestorePointId: null, snapshotName: 'holdfast-1' }),
  );
  const target = { poolOwnerId: 'tenant', poolId: 'pool', poolGrantId: null };
  await environment.run(async () => await restores.cleanUpRestore({ ...JOB, target }));
  expect(asked).toMatchObject([
    { pool: POOL, vault: CLOSED, vmUuid: 'vm', jobId: 'job', snapshotName: 'holdfast-1' },
    { pool: POOL, vault: CLOSED, restorePointId: 'point', jobId: 'job' },
  ]);
});

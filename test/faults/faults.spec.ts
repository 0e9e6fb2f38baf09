import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeReadOnly } from './read-only.ts';
import { expectNothingLeft } from '../../src/xen/spec-leftovers.ts';
import { Stage, type ProtectedVm, type SeenJob } from './stage.ts';

const MIB = 1024 * 1024;

let stage: Stage;
let alpha: string;

beforeAll(async () => {
  stage = await Stage.start();
  alpha = await stage.addPool('alpha');
});
afterEach(async () => {
  await stage.simulator.clearFaults();
});
afterAll(async () => {
  await stage.stop();
});

async function protect(sizes: readonly number[] = [16 * MIB, 8 * MIB]): Promise<ProtectedVm> {
  return await stage.protectVm(alpha, sizes);
}

/** A job that failed says what happened and what to do, and nothing of it stays in the pool. */
async function expectFailed(job: SeenJob, code: string): Promise<void> {
  expect(job).toMatchObject({ state: 'FAILED', error: { code } });
  expect(job.error?.message).not.toBe('');
  expect(job.error?.hint).not.toBe('');
  await expectNothingLeft(stage.simulator, 'alpha');
}

async function restorePoints(vmId: string): Promise<number> {
  const { restorePoints } = await stage.data<{ restorePoints: { edges: readonly unknown[] } }>(
    'query ($vmId: ID!) { restorePoints(vmId: $vmId, first: 100) { edges { node { id } } } }',
    { vmId },
  );
  return restorePoints.edges.length;
}

async function poolState(id: string): Promise<{ readonly state: string; readonly stateCode: string | null }> {
  const { pool } = await stage.data<{ pool: { state: string; stateCode: string | null } }>(
    'query ($id: ID!) { pool(id: $id) { state stateCode } }',
    { id },
  );
  return pool;
}

describe('a pool that is registered', () => {
  it('with a wrong password says so', async () => {
    const { poolId, job } = await stage.registerPool(stage.simulator.pool('beta'), { password: 'wrong' });
    await expectFailed(await stage.ended(job), 'POOL_AUTH_FAILED');
    expect(await poolState(poolId)).toEqual({ state: 'REJECTED', stateCode: 'POOL_AUTH_FAILED' });
  });

  it('at an address where nobody answers says so', async () => {
    const { poolId, job } = await stage.registerPool(stage.simulator.pool('beta'), { url: 'https://127.0.0.77:9' });
    await expectFailed(await stage.ended(job), 'POOL_UNREACHABLE');
    expect(await poolState(poolId)).toEqual({ state: 'UNREACHABLE', stateCode: 'POOL_UNREACHABLE' });
  });

  it('and then shows another certificate is not talked to', async () => {
    const poolId = await stage.addPool('beta');
    await stage.simulator.post('/hosts/beta-1/certificate');
    await expectFailed(await stage.runJob('refreshPool', { poolId }), 'POOL_CERTIFICATE_CHANGED');
    expect(await poolState(poolId)).toEqual({ state: 'REJECTED', stateCode: 'POOL_CERTIFICATE_CHANGED' });
  });
});

describe('a backup', () => {
  it('of a VM that vanished fails, and keeps what was there', async () => {
    const { vm, vmId, vaultId } = await protect();
    expect((await stage.runJob('backupVm', { vmId, vaultId })).state).toBe('SUCCEEDED');
    await stage.simulator.vanish(vm.uuid);
    await expectFailed(await stage.runJob('backupVm', { vmId, vaultId }), 'VM_GONE');
    expect(await restorePoints(vmId)).toBe(1);
  });

  it('onto a full SR fails before it reads a byte', async () => {
    const { vmId, vaultId } = await protect();
    await stage.simulator.post('/faults', {
      match: { kind: 'rpc', method: 'VM.snapshot' },
      times: 0,
      action: { error: ['SR_BACKEND_FAILURE_44', '', 'There is insufficient space', ''] },
    });
    const before = await stage.simulator.lastSeq();
    await expectFailed(await stage.runJob('backupVm', { vmId, vaultId }), 'SR_FULL');
    expect(await stage.simulator.log('nbd-read', before)).toEqual([]);
  });

  it('whose NBD connection is cut in the middle goes on', async () => {
    const { vmId, vaultId } = await protect();
    await stage.simulator.post('/faults', {
      match: { kind: 'nbd-read' },
      nth: 7,
      times: 2,
      action: { cutAfterBytes: 1000 },
    });
    expect(await stage.runJob('backupVm', { vmId, vaultId })).toMatchObject({ state: 'SUCCEEDED', error: null });
    await expectNothingLeft(stage.simulator, 'alpha');
  });

  it('whose NBD connections never hold fails and says so', async () => {
    const { vmId, vaultId } = await protect();
    await stage.simulator.post('/faults', { match: { kind: 'nbd-open' }, times: 0, action: { cutAfterBytes: 0 } });
    await expectFailed(await stage.runJob('backupVm', { vmId, vaultId }), 'NBD_UNAVAILABLE');
    expect(await restorePoints(vmId)).toBe(0);
  });

  it('is one at a time per VM, and the refusal names the job that has it', async () => {
    const { vmId, vaultId } = await protect();
    const reads = await stage.simulator.hold({ kind: 'nbd-read' });
    const first = await stage.startJob('backupVm', { vmId, vaultId });
    const { userErrors } = await stage.mutate('backupVm', { vmId, vaultId }, 'job { id }');
    expect(userErrors).toMatchObject([{ code: 'VM_BUSY' }]);
    expect(userErrors[0]?.message).toContain(first.id);
    await reads.letGo();
    expect((await stage.ended(first)).state).toBe('SUCCEEDED');
  });

  it('that is cancelled leaves nothing behind', async () => {
    const { vmId, vaultId } = await protect();
    const reads = await stage.simulator.hold({ kind: 'nbd-read' });
    const job = await stage.startJob('backupVm', { vmId, vaultId });
    await reads.reached();
    const cancelled = await stage.mutate<{ job: SeenJob }>('cancelJob', { jobId: job.id }, 'job { state }');
    expect(cancelled.job.state).toBe('CANCELLING');
    await reads.letGo();
    expect(await stage.ended(job)).toMatchObject({ state: 'CANCELLED', warnings: [] });
    await expectNothingLeft(stage.simulator, 'alpha');
    expect(await restorePoints(vmId)).toBe(0);
    const again = await stage.mutate('cancelJob', { jobId: job.id }, 'job { id }');
    expect(again.userErrors).toMatchObject([{ code: 'JOB_NOT_CANCELLABLE' }]);
  });
});

describe('a pool that is away when a backup has to clean up', () => {
  it('is cleaned up when it is back', async () => {
    const { vmId, vaultId } = await protect();
    const reads = await stage.simulator.hold({ kind: 'nbd-read' });
    const job = await stage.startJob('backupVm', { vmId, vaultId });
    await reads.reached();
    for (const host of ['alpha-1', 'alpha-2']) {
      await stage.simulator.post(`/hosts/${host}/kill`);
    }
    await reads.letGo();
    const ended = await stage.ended(job);
    expect(ended).toMatchObject({ state: 'FAILED', warnings: [expect.stringContaining('POOL_UNREACHABLE')] });
    for (const host of ['alpha-1', 'alpha-2']) {
      await stage.simulator.post(`/hosts/${host}/restart`);
    }
    await expectNothingLeft(stage.simulator, 'alpha');
    expect((await stage.job(job.id)).state).toBe('FAILED');
  });
});

describe('a job whose workflow is lost', () => {
  it('is cleaned up after and ends INTERRUPTED', async () => {
    const { vmId, vaultId } = await protect();
    const reads = await stage.simulator.hold({ kind: 'nbd-read' });
    const job = await stage.startJob('backupVm', { vmId, vaultId });
    await reads.reached();
    await stage.terminateWorkflow(job);
    await reads.letGo();
    const ended = await stage.ended(job);
    expect(ended).toMatchObject({ state: 'INTERRUPTED', error: { code: 'JOB_INTERRUPTED' }, warnings: [] });
    await expectNothingLeft(stage.simulator, 'alpha');
    expect((await stage.runJob('backupVm', { vmId, vaultId })).state).toBe('SUCCEEDED');
  });
});

describe('a replication', () => {
  it('into a full SR fails and leaves no half-made VM', async () => {
    const { vmId, vaultId } = await protect();
    const made = await stage.runJob('backupVm', { vmId, vaultId });
    const { srId, networkId } = await stage.places(alpha);
    const vmsBefore = await stage.simulator.get<readonly unknown[]>('/vms');
    await stage.simulator.post('/faults', {
      match: { kind: 'rpc', method: 'VDI.create' },
      nth: 2,
      times: 0,
      action: { error: ['SR_BACKEND_FAILURE_44', '', 'There is insufficient space', ''] },
    });
    const restored = await stage.runJob('restoreVm', {
      restorePointId: made.result?.restorePointId,
      poolId: alpha,
      storageRepositoryId: srId,
      networks: [{ toNetworkId: networkId }],
    });
    await expectFailed(restored, 'SR_FULL');
    expect(await stage.simulator.get<readonly unknown[]>('/vms')).toHaveLength(vmsBefore.length);
  });
});

describe('a vault directory', () => {
  it('that became read-only fails the backup, and its restore points stay', async (context) => {
    const { vmId, vaultId, folder } = await protect();
    expect((await stage.runJob('backupVm', { vmId, vaultId })).state).toBe('SUCCEEDED');
    const makeWritable = await makeReadOnly(folder);
    if (makeWritable === null) {
      context.skip('this user can neither be refused by file modes nor mount');
      return;
    }
    try {
      await expectFailed(await stage.runJob('backupVm', { vmId, vaultId }), 'VAULT_READ_ONLY');
    } finally {
      await makeWritable();
    }
    expect((await stage.runJob('backupVm', { vmId, vaultId })).state).toBe('SUCCEEDED');
    expect(await restorePoints(vmId)).toBe(2);
  });
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectNothingLeft } from '../../src/xen/spec-leftovers.ts';
import { Stage } from '../faults/stage.ts';

const MIB = 1024 * 1024;
let stage: Stage;

beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(async () => {
  await stage.stop();
});

it('backs a VM up in full, then by its changes, and replicates it into another pool byte for byte', async () => {
  const { simulator } = stage;
  const alpha = await stage.addPool('alpha');
  const beta = await stage.addPool('beta');
  const { vm, vmId, vaultId } = await stage.protectVm(alpha, [32 * MIB, 16 * MIB]);

  const full = await stage.runJob('backupVm', { vmId, vaultId });
  expect(full).toMatchObject({ state: 'SUCCEEDED', error: null, warnings: [] });
  expect(Number(full.result?.bytesRead)).toBe(48 * MIB);
  expect(full.progress).toMatchObject({ bytesDone: String(48 * MIB), bytesTotal: String(48 * MIB) });
  await expectNothingLeft(simulator, 'alpha');

  await simulator.write(vm.disks[0]?.uuid ?? '', 5 * MIB, 128 * 1024, 'a change');
  const then = await simulator.digests(await simulator.vm(vm.uuid));
  const second = await stage.runJob('backupVm', { vmId, vaultId });
  expect(second).toMatchObject({ state: 'SUCCEEDED', error: null, warnings: [] });
  expect(Number(second.result?.bytesRead)).toBeLessThan(20 * MIB);
  await simulator.write(vm.disks[0]?.uuid ?? '', 0, MIB, 'after the backup');

  const { srId, networkId } = await stage.places(beta);
  const networks = [{ toNetworkId: networkId }];
  const plan = await stage.mutate<{ replicationPlan: { id: string } }>(
    'createReplicationPlan',
    { name: 'To beta', vmId, vaultId, poolId: beta, storageRepositoryId: srId, networks },
    'replicationPlan { id }',
  );
  const replicated = await stage.runJob('replicateVm', { replicationPlanId: plan.replicationPlan.id });
  expect(replicated).toMatchObject({ state: 'SUCCEEDED', error: null, warnings: [] });
  const replica = await simulator.vm(replicated.result?.restoredVmUuid ?? '');
  expect(replica).toMatchObject({ powerState: 'Halted' });
  expect(replica.uuid).not.toBe(vm.uuid);
  expect(replica.macs).not.toEqual(vm.macs);
  expect(await simulator.digests(replica)).toEqual(then);

  const home = await stage.places(alpha);
  const restored = await stage.runJob('restoreVm', {
    restorePointId: full.result?.restorePointId,
    poolId: alpha,
    storageRepositoryId: home.srId,
    networks: [{ toNetworkId: home.networkId }],
    name: 'web restored',
  });
  expect(restored).toMatchObject({ state: 'SUCCEEDED', error: null, warnings: [] });
  expect((await simulator.vm(vm.uuid)).powerState).toBe('Running');
  for (const pool of ['alpha', 'beta']) {
    await expectNothingLeft(simulator, pool);
  }
});

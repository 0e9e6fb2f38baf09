import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { MIB, SpecWorld } from './spec-world.ts';

let world: SpecWorld;

beforeAll(async () => {
  world = await SpecWorld.start();
});
beforeEach(async () => world.begin());
afterAll(async () => {
  await world.simulator.stop();
});

function closed() {
  const { tenantId, vaultId } = world.vault.access;
  return { tenantId, vaultId, location: null };
}

it('a backup whose vault was closed for good leaves nothing in the pool, earlier anchors included', async () => {
  const vm = await world.makeVm([8 * MIB]);
  await world.runBackup(vm, null);
  expect(await world.anchorCount()).toBe(1);
  const backup = world.backupOf(vm);
  await backup.plan(null);
  await backup.snapshot();
  const { session, jobId, snapshotName } = backup;
  const command = { pool: world.alpha, vault: closed(), session, jobId, vmUuid: vm.uuid, snapshotName };
  const { removed, left } = await world.mover.cleanUpBackup(command, world.vault.call());
  expect(removed).toEqual(
    expect.arrayContaining([expect.stringMatching(/^snapshot /), expect.stringMatching(/^anchor /)]),
  );
  expect(left).toEqual([`session ${jobId} in the vault: the right to its storage was revoked`]);
  expect(await world.anchorCount()).toBe(0);
  await world.expectNothingLeft();
  expect(await world.mover.cleanUpBackup(command, world.vault.call())).toMatchObject({ removed: [] });
});

it('a restore from a vault that was closed meanwhile leaves no half-made VM', async () => {
  const { point } = await world.runBackup(await world.makeVm([8 * MIB]), null);
  const restore = world.restoreOf(point.restorePointId);
  const { vmUuid } = await restore.create();
  const { restorePointId } = point;
  const command = { pool: world.beta.pool, vault: closed(), restorePointId, jobId: restore.jobId };
  const { removed, left } = await world.mover.cleanUpRestore(command, world.vault.call());
  expect(removed.join()).toContain(vmUuid);
  expect(left).toHaveLength(1);
  await world.expectNothingLeft('beta');
});

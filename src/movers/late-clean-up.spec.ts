import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { BLOCK, MIB, SpecWorld } from './spec-world.ts';

let world: SpecWorld;

beforeAll(async () => {
  world = await SpecWorld.start();
});
beforeEach(async () => world.begin());
afterAll(async () => {
  await world.simulator.stop();
});

/** A pool's clock shows whole seconds. */
const nextSecond = (): Promise<void> => delay(1001);

it('a clean-up that comes after the next run leaves that run what it needs', async () => {
  const vm = await world.makeVm([8 * MIB]);
  const first = world.backupOf(vm);
  await first.plan(null);
  const snapshot = await first.snapshot();
  const { restorePointId } = await first.commit(snapshot, await first.disks(snapshot));
  await nextSecond();

  const second = world.backupOf(vm);
  await second.plan(restorePointId);
  const secondSnapshot = await second.snapshot();
  // Nobody cleaned up after the first run until now, while the second one reads.
  await first.cleanUp();
  const digests = await world.digests(secondSnapshot.disks);
  const disks = await second.disks(secondSnapshot);
  expect(disks.map(({ path }) => path)).toEqual(['CHANGED_BLOCKS_NBD']);
  const point = await second.commit(secondSnapshot, disks);
  await second.cleanUp();
  const anchors = await world.anchorCount();

  await first.cleanUp();
  expect(await world.anchorCount()).toBe(anchors);
  await world.guestWrites(vm.disks[0]?.uuid, 0, BLOCK);
  const third = await world.runBackup(vm, point.restorePointId);
  expect(third.disks.map(({ path }) => path)).toEqual(['CHANGED_BLOCKS_NBD']);
  await world.expectRestores(point.restorePointId, digests);
  await world.expectRestores(third.point.restorePointId, third.digests);
  await world.expectNothingLeft();
});

import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PackRecord, VerifyProgress } from './verify-types.ts';
import { LEVELS, makeThreePoints, type ThreePoints } from './testing/three-points.ts';

let world: ThreePoints;

beforeEach(async () => {
  world = await makeThreePoints();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

test.each(LEVELS)('a vault without damage has none at level %i', async (level) => {
  const result = await world.verifyAt(level);
  expect(result).toMatchObject({ level, complete: true, packsLeft: 0, damagedObjects: [], damagedPoints: [] });
  expect(result.intactPoints.toSorted()).toEqual(
    [world.points.first, world.points.second, world.points.other].toSorted(),
  );
  expect(result.packsChecked).toBe(world.names('data/').length);
  expect(Object.keys(result.state.packs).toSorted()).toEqual(world.names('data/').toSorted());
});

test('it can be cancelled and says how far it is; what it read until then was told', async () => {
  const controller = new AbortController();
  const told: VerifyProgress[] = [];
  const records: PackRecord[] = [];
  const running = world.repository.verify({
    level: 2,
    signal: controller.signal,
    onPack: (_, record) => {
      records.push(record);
      controller.abort();
    },
  });
  await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(records.length).toBeGreaterThan(0);
  await world.repository.verify({ level: 2, onProgress: (progress) => told.push(progress) });
  const read = told.filter(({ phase }) => phase === 'packs').at(-1);
  expect(read?.done).toBe(read?.total);
  expect(read?.bytesRead).toBe(read?.bytesTotal);
  expect(new Set(told.map(({ phase }) => phase))).toEqual(new Set(['manifests', 'packs', 'ranges']));
});

test('a point that is deleted while it is verified is not called damaged', async () => {
  const [name = ''] = world.packs.other;
  await using fresh = await world.vault.open();
  const result = await fresh.verify({
    level: 1,
    onProgress: ({ phase }) => {
      if (phase === 'manifests') {
        world.vault.objects.delete(`points/${world.points.other}`);
        world.vault.objects.delete(name);
      }
    },
  });
  expect(result.damagedPoints).toEqual([]);
  expect(result.damagedObjects).toEqual([]);
});

import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { HEADER, LEVELS, makeThreePoints, type ThreePoints } from './testing/three-points.ts';

// Lanes without threads: what is damaged is the store's, and threads take their time to start.
vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'));

let world: ThreePoints;

beforeEach(async () => {
  world = await makeThreePoints();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

test('a lost index segment shows in the packs that none lists; nothing else is damaged', async () => {
  const [name = ''] = world.names('index/');
  world.vault.objects.delete(name);
  const result = await world.verifyAt(0);
  const unindexed = result.damagedObjects.map((object) => object.name);
  expect([world.packs.first, world.packs.second, world.packs.other].map((some) => some.toSorted())).toContainEqual(
    unindexed.toSorted(),
  );
  expect(new Set(result.damagedObjects.map(({ problem }) => problem))).toEqual(new Set(['not-indexed']));
  expect(result.damagedPoints).toEqual([]);
  expect(await world.findMistakes(result)).toEqual([]);
});

test('a damaged index segment is named; nothing else is damaged', async () => {
  const [name = ''] = world.names('index/');
  world.flip(name, HEADER + 3);
  const result = await world.verifyAt(0);
  expect(result.damagedObjects[0]).toMatchObject({ name, problem: 'changed', lostFrames: [] });
  expect(result.damagedPoints).toEqual([]);
});

test('a damaged manifest costs what it describes, in the points that it belongs to', async () => {
  const delta = (await world.repository.readPoint(world.points.second)).disks[0]?.layers.at(-1)?.packs[0]?.id ?? '';
  const name = `meta/${delta.slice(0, 2)}/${delta}`;
  world.flip(name, HEADER + 3);
  for (const level of LEVELS) {
    const result = await world.verifyAt(level);
    expect(result.damagedObjects).toMatchObject([{ name, problem: 'changed' }]);
    expect(result.damagedPoints).toMatchObject([{ pointId: world.points.second, vmId: 'vm-1', objects: [name] }]);
  }
  expect(await world.findMistakes(await world.verifyAt(0))).toEqual([]);
});

test('a flipped bit in a manifest’s hash costs nothing', async () => {
  const [name = ''] = world.names('meta/');
  world.flip(name, -1);
  const result = await world.verifyAt(1);
  expect(result.damagedObjects).toMatchObject([{ name, problem: 'changed', lostFrames: [] }]);
  expect(result.damagedPoints).toEqual([]);
});

test('a damaged restore point is named by its id, and the others stay', async () => {
  world.flip(`points/${world.points.second}`, 100);
  const result = await world.verifyAt(2);
  expect(result.damagedObjects).toMatchObject([{ name: `points/${world.points.second}`, problem: 'changed' }]);
  expect(result.damagedPoints).toMatchObject([{ pointId: world.points.second, vmId: null }]);
  expect(result.intactPoints.toSorted()).toEqual([world.points.first, world.points.other].toSorted());
  const some = await world.repository.verify({ level: 0, pointIds: [world.points.second, world.points.other] });
  expect(some.intactPoints).toEqual([world.points.other]);
});

test('a damaged restore point is named by lists and counts, and hides no other', async () => {
  const { repository, points } = world;
  world.flip(`points/${points.first}`, 100);
  const others = [points.second, points.other].toSorted();
  const listed: string[] = [];
  const list = async (): Promise<void> => {
    for await (const { pointId } of repository.listPoints()) {
      listed.push(pointId);
    }
  };
  await expect(list()).rejects.toMatchObject({ code: 'VAULT_CORRUPT', data: { damagedPoints: [points.first] } });
  expect(listed.toSorted()).toEqual(others);
  expect(await repository.stats()).toMatchObject({ points: 2, damagedPoints: [points.first] });
});

test('a damaged legal hold is named, and costs nothing of its restore point but its deletion', async () => {
  const { repository, points } = world;
  await repository.placeHold({ pointId: points.first, holdId: randomUUID(), reason: 'case 1' });
  const [name = ''] = world.names('custody/');
  world.flip(name, 100);
  const result = await world.verifyAt(0);
  expect(result.damagedObjects).toMatchObject([{ name, problem: 'changed' }]);
  expect(result.damagedPoints).toEqual([]);
  expect(result.intactPoints).toHaveLength(3);
  expect(await world.findMistakes(result)).toEqual([]);
  expect(await repository.stats()).toMatchObject({ points: 3, damagedPoints: [points.first] });
  const catalog = await repository.readCatalog();
  expect(catalog.points).toHaveLength(3);
  expect(catalog.damaged).toMatchObject([{ name }]);
  await expect(repository.deletePoint(points.first)).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
});

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Store } from '../ports/store.ts';
import { BadSectors } from '../testing/bad-sectors.ts';
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

test.each([1, 2] as const)('a flipped bit in a frame costs that frame only, at level %i', async (level) => {
  const [name = ''] = world.packs.first;
  world.flip(name, HEADER + 10);
  expect((await world.verifyAt(0)).damagedObjects).toEqual([]);
  const result = await world.verifyAt(level);
  expect(result.damagedObjects).toMatchObject([{ name, problem: 'changed', lostFrames: [0] }]);
  expect(result.intactPoints).toEqual([world.points.other]);
  expect(result.damagedPoints.map(({ vmId, objects }) => ({ vmId, objects }))).toEqual([
    { vmId: 'vm-1', objects: [name] },
    { vmId: 'vm-1', objects: [name] },
  ]);
  expect(await world.findMistakes(result)).toEqual([]);
});

test('a change whose hash was made right again is found by opening, not by hashing', async () => {
  const [name = ''] = world.packs.first;
  world.flip(name, HEADER + 10);
  world.rehash(name);
  expect((await world.verifyAt(1)).damagedObjects).toEqual([]);
  expect((await world.verifyAt(2)).damagedObjects).toMatchObject([{ name, problem: 'changed', lostFrames: [0] }]);
});

test('a flipped bit in the hash itself costs nothing', async () => {
  const [name = ''] = world.packs.first;
  world.flip(name, -1);
  const result = await world.verifyAt(1);
  expect(result.damagedObjects).toMatchObject([{ name, problem: 'changed', lostFrames: [] }]);
  expect(result.damagedPoints).toEqual([]);
  expect(await world.findMistakes(result)).toEqual([]);
});

test.each([
  ['table', -100],
  ['commitment', -60],
  ['header’s id', 20],
  ['header’s salt', 40],
  ['magic', 0],
] as const)('a flipped bit in a pack’s %s costs the whole pack, at every level', async (_, at) => {
  const [name = ''] = world.packs.second;
  world.flip(name, at);
  for (const level of LEVELS) {
    const result = await world.verifyAt(level);
    expect(result.damagedObjects).toMatchObject([{ name, problem: 'changed', lostFrames: 'all' }]);
    expect(result.damagedPoints.map(({ pointId }) => pointId)).toEqual([world.points.second]);
  }
  expect(await world.findMistakes(await world.verifyAt(0))).toEqual([]);
});

test('a pack that is missing is named, with what it held', async () => {
  const [, name = ''] = world.packs.first;
  world.vault.objects.delete(name);
  for (const level of LEVELS) {
    const result = await world.verifyAt(level);
    expect(result.damagedObjects).toMatchObject([{ name, problem: 'missing', lostFrames: 'all' }]);
    expect(result.damagedPoints.map(({ pointId }) => pointId).toSorted()).toEqual(
      [world.points.first, world.points.second].toSorted(),
    );
  }
  expect(await world.findMistakes(await world.verifyAt(0))).toEqual([]);
});

test('a pack that is truncated is named, wherever it ends', async () => {
  const [name = ''] = world.packs.first;
  const original = world.bytesOf(name);
  for (const length of [0, 10, HEADER, HEADER + 200, Math.floor(original.length / 2), original.length - 1]) {
    world.vault.objects.set(name, original.slice(0, length));
    for (const level of [0, 2] as const) {
      const result = await world.verifyAt(level);
      expect(result.damagedObjects).toMatchObject([{ name, problem: 'truncated', lostFrames: 'all' }]);
      expect(result.intactPoints).toEqual([world.points.other]);
    }
  }
  expect(await world.findMistakes(await world.verifyAt(0))).toEqual([]);
});

test('packs that were exchanged are both named', async () => {
  const [one = ''] = world.packs.first;
  const [two = ''] = world.packs.other;
  const [a, b] = [world.bytesOf(one), world.bytesOf(two)];
  world.vault.objects.set(one, b);
  world.vault.objects.set(two, a);
  for (const level of LEVELS) {
    const result = await world.verifyAt(level);
    expect(result.damagedObjects.map(({ name, problem }) => ({ name, problem }))).toEqual(
      expect.arrayContaining([
        { name: one, problem: 'exchanged' },
        { name: two, problem: 'exchanged' },
      ]),
    );
    expect(result.intactPoints).toEqual([]);
  }
});

test('a sector that can’t be read is damage; a store that is away is not', async () => {
  const [name = ''] = world.packs.other;
  const failing = (errno: string): ((store: Store) => Store) => {
    return (store) => {
      const sectors = new BadSectors(store, errno);
      sectors.at.set(name, HEADER + 5);
      return sectors;
    };
  };
  for (const level of [1, 2] as const) {
    await using broken = await world.vault.open(failing('EIO'));
    const result = await broken.verify({ level });
    expect(result.damagedObjects).toMatchObject([{ name, lostFrames: [0] }]);
    expect(result.damagedPoints.map(({ pointId }) => pointId)).toEqual([world.points.other]);
    await using away = await world.vault.open(failing('ESTALE'));
    await expect(away.verify({ level })).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
  }
});

import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Store } from '../ports/store.ts';
import { backup, MemoryDisk } from '../testing/test-vault.ts';
import { HEADER, makeThreePoints, type ThreePoints } from '../verify/testing/three-points.ts';
import type { RepairRequest, RepairResult } from './repair-types.ts';

// Lanes without threads: what is damaged is the store's, and threads take their time to start.
vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'));

let world: ThreePoints;

beforeEach(async () => {
  world = await makeThreePoints();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

async function repair(index: RepairRequest['index'] = 'damaged'): Promise<RepairResult> {
  await using fresh = await world.vault.open((same) => same, 1);
  return await fresh.repair({ index });
}

/** How much a backup of what the vault holds already stores again. */
async function chunksStoredAgain(): Promise<number> {
  await using fresh = await world.vault.open((same) => same, 1);
  const { disks } = await backup(fresh, { disks: { xvda: new MemoryDisk(world.disks.second) } });
  return disks[0]?.chunksNew ?? -1;
}

const LOSSES: Readonly<Record<string, () => number>> = {
  'one segment is lost': () => {
    const [name = ''] = world.names('index/');
    world.vault.objects.delete(name);
    return 1;
  },
  'all segments are lost': () => {
    world.names('index/').forEach((name) => world.vault.objects.delete(name));
    return 3;
  },
  'all segments are damaged': () => {
    world.names('index/').forEach((name) => world.flip(name, HEADER + 3));
    return 3;
  },
  'one segment is damaged and another lost': () => {
    const [one = '', two = ''] = world.names('index/');
    world.flip(one, HEADER + 3);
    world.vault.objects.delete(two);
    return 2;
  },
};

test.each(Object.keys(LOSSES))('the index comes back where %s', async (what) => {
  expect(LOSSES[what]?.()).toBeGreaterThan(0);
  const kept = new Map(world.vault.objects);
  const repaired = await repair();
  expect(repaired.indexedPacks).toBeGreaterThan(0);
  expect(repaired.verified).toMatchObject({ damagedObjects: [], damagedPoints: [], condemnedPacks: [] });
  expect(repaired.unreadablePacks).toEqual([]);
  for (const [name, data] of kept) {
    expect(repaired.removedSegments.includes(name) || world.vault.objects.get(name) === data).toBe(true);
  }
  expect((await world.verifyAt(0)).damagedObjects).toEqual([]);
  expect(await chunksStoredAgain()).toBe(0);
});

test('without damage it changes nothing; asked for it, it makes the whole index anew', async () => {
  const before = new Map(world.vault.objects);
  expect(await repair()).toMatchObject({
    indexedPacks: 0,
    removedSegments: [],
    raisedEpoch: null,
    unreadablePacks: [],
  });
  expect(world.vault.objects).toEqual(before);
  expect((await repair('all')).indexedPacks).toBe(world.names('data/').length);
  expect(await chunksStoredAgain()).toBe(0);
});

test('a pack that can’t be opened is named and condemned, and the index has all others', async () => {
  const [name = ''] = world.packs.second;
  world.flip(name, -100);
  world.names('index/').forEach((segment) => world.vault.objects.delete(segment));
  const repaired = await repair();
  expect(repaired.indexedPacks).toBe(world.names('data/').length - 1);
  expect(repaired.unreadablePacks).toMatchObject([{ name, problem: 'changed', lostFrames: 'all' }]);
  expect(repaired.verified.condemnedPacks).toEqual([name]);
  expect(repaired.verified.damagedPoints.map(({ pointId }) => pointId)).toEqual([world.points.second]);
  expect(await world.findMistakes(repaired.verified)).toEqual([]);
  expect(world.vault.objects.has(name)).toBe(true);
});

test('a damaged epoch is succeeded, and backups go on', async () => {
  await world.repository.raiseEpoch();
  world.flip('epoch/1', HEADER);
  const disks = { xvdc: new MemoryDisk(randomBytes(40 * KIB)) };
  await expect(backup(world.repository, { disks })).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
  expect(await repair()).toMatchObject({ raisedEpoch: 2 });
  await backup(world.repository, { disks });
});

test('what is damaged of the index goes only when its successor is there', async () => {
  const before = world.names('index/');
  before.forEach((name) => world.flip(name, HEADER + 3));
  const full = new AppError('VAULT_FULL', 'There is no room.');
  const refuse = (store: Store): Store =>
    new Proxy(store, {
      get: (target, key: keyof Store) => {
        const value = target[key];
        const same: unknown = typeof value === 'function' ? value.bind(target) : value;
        return key === 'putIfAbsent' ? () => Promise.reject(full) : same;
      },
    });
  await using fresh = await world.vault.open(refuse, 1);
  await expect(fresh.repair({ index: 'damaged' })).rejects.toBe(full);
  expect(world.names('index/')).toEqual(before);
  expect((await repair()).indexedPacks).toBe(world.names('data/').length);
  expect(await chunksStoredAgain()).toBe(0);
});

test('interrupted, it is repeated', async () => {
  world.names('index/').forEach((name) => world.flip(name, HEADER + 3));
  await using fresh = await world.vault.open((same) => same, 1);
  const controller = new AbortController();
  const running = fresh.repair({ index: 'damaged', signal: controller.signal, onProgress: () => controller.abort() });
  await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
  expect((await repair()).verified.damagedObjects).toEqual([]);
  expect(await chunksStoredAgain()).toBe(0);
});

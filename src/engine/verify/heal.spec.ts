import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { backup, MemoryDisk, restore, sameBytes } from '../testing/test-vault.ts';
import type { ByteRange } from '../ports/block-io.ts';
import type { Repository } from '../repository.ts';
import { HEADER, makeThreePoints, type ThreePoints } from './testing/three-points.ts';
import type { VerifyResult } from './verify-types.ts';

// Lanes without threads: what is damaged is the store's, and threads take their time to start.
vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'));

let world: ThreePoints;

beforeEach(async () => {
  world = await makeThreePoints();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

async function withFresh<T>(work: (repository: Repository) => Promise<T>): Promise<T> {
  await using fresh = await world.vault.open((same) => same, 1);
  return await work(fresh);
}

async function condemn(level: 0 | 1 | 2): Promise<VerifyResult> {
  return await withFresh((repository) => repository.verify({ level, condemn: true }));
}

/** The next run of the first disk: what its writer changed since the second point, and nothing else is told. */
async function backUp(data: Uint8Array, changed: readonly ByteRange[]): Promise<string> {
  return await withFresh(async (repository) => {
    const disks = { xvda: new MemoryDisk(data) };
    const { summary } = await backup(repository, { disks, base: { pointId: world.points.second, changed } });
    return summary.pointId;
  });
}

/** A pack of which nothing was overwritten between the first two points: all that it holds can be read again. */
async function findWholePack(): Promise<string> {
  for (const name of world.packs.first) {
    const data = world.bytesOf(name);
    world.vault.objects.delete(name);
    const { damagedPoints } = await world.verifyAt(0);
    world.vault.objects.set(name, data);
    const [first, second] = [world.points.first, world.points.second].map((pointId) =>
      JSON.stringify(damagedPoints.find((point) => point.pointId === pointId)?.disks[0]?.ranges),
    );
    if (first === second) {
      return name;
    }
  }
  throw new RangeError('every pack holds something that was overwritten');
}

const DAMAGE: Readonly<Record<string, (name: string) => void>> = {
  'a flipped bit': (name) => world.flip(name, HEADER + 10),
  'a flipped bit in its table': (name) => world.flip(name, -100),
  'a lost pack': (name) => world.vault.objects.delete(name),
  'a truncated pack': (name) => world.vault.objects.set(name, world.bytesOf(name).slice(0, 300)),
  'a pack with another’s bytes': (name) => world.vault.objects.set(name, world.bytesOf(world.packs.other[0] ?? '')),
};

test.each(Object.keys(DAMAGE))('%s is named, condemned, and healed by the next backup', async (what) => {
  const name = await findWholePack();
  DAMAGE[what]?.(name);
  const found = await condemn(1);
  expect(found.damagedObjects).toMatchObject([{ name }]);
  expect(found.condemnedPacks).toEqual([name]);
  expect(found.damagedPoints.map(({ pointId, vmId }) => [pointId, vmId])).toEqual([
    [world.points.first, 'vm-1'],
    [world.points.second, 'vm-1'],
  ]);
  expect(await world.findMistakes(found)).toEqual([]);

  const third = world.disks.second.slice();
  const change = { offset: 304 * KIB, length: 4 * KIB };
  third.set(randomBytes(change.length), change.offset);
  const healed = await backUp(third, [change]);
  for (const level of [0, 1, 2] as const) {
    const result = await world.verifyAt(level);
    expect(result.damagedPoints).toEqual([]);
    expect(result.damagedObjects).toEqual([]);
    expect(result.intactPoints).toHaveLength(4);
    expect(await world.findMistakes(result)).toEqual([]);
  }
  await withFresh(async (repository) => {
    expect(sameBytes(await restore(repository, healed, 'xvda'), third)).toBe(true);
  });
});

test('what was overwritten since stays lost in the older points, and only that', async () => {
  const [name = ''] = world.packs.first;
  world.vault.objects.delete(name);
  const before = lossOf(await condemn(0), world.points.second);
  const third = world.disks.second.slice();
  const change = { offset: before.first, length: 4 * KIB };
  third.set(randomBytes(change.length), change.offset);
  const newest = await backUp(third, [change]);

  const result = await world.verifyAt(2);
  expect(await world.findMistakes(result)).toEqual([]);
  expect(result.damagedPoints.map(({ pointId }) => pointId)).toEqual([world.points.first, world.points.second]);
  const after = lossOf(result, world.points.second);
  expect(after.bytes).toBeGreaterThanOrEqual(change.length);
  expect(after.bytes).toBeLessThan(before.bytes);
  expect(after.first).toBe(before.first);
  expect(result.intactPoints).toContain(newest);
});

function lossOf({ damagedPoints }: VerifyResult, pointId: string): { readonly first: number; readonly bytes: number } {
  const disk = damagedPoints.find((point) => point.pointId === pointId)?.disks[0];
  return { first: disk?.ranges[0]?.offset ?? -1, bytes: disk?.lostBytes ?? 0 };
}

test('a pack whose content is whole is condemned for collection, and nothing is lost or read again', async () => {
  const [name = ''] = world.packs.first;
  world.flip(name, -1);
  const found = await condemn(1);
  expect(found).toMatchObject({ condemnedPacks: [name], damagedPoints: [] });
  expect(await world.findMistakes(found)).toEqual([]);
  expect((await condemn(1)).condemnedPacks).toEqual([]);
});

test('nothing is condemned unless it was asked for, nor a pack that nobody needs', async () => {
  const [name = ''] = world.packs.first;
  world.flip(name, HEADER + 10);
  const found = await world.verifyAt(1);
  expect(found).toMatchObject({ condemnedPacks: [], damagedObjects: [{ name }] });
  expect(world.names('condemned/')).toEqual([]);
});

import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import type { Store } from '../ports/store.ts';
import { BadSectors } from '../testing/bad-sectors.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes, type TestVault } from '../testing/test-vault.ts';
import type { Repository } from '../repository.ts';
import { HEADER } from '../verify/testing/three-points.ts';

// Lanes without threads: what is damaged is the store's, and threads take their time to start.
vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'));

const data = new Uint8Array(randomBytes(300 * KIB));

let vault: TestVault;
/** Each has the whole disk in packs of its own; the index knows all of them. */
let points: [string, string];
let packs: [string[], string[]];

beforeEach(async () => {
  vault = await createTestVault();
  const first = await backUp();
  const firstPacks = names('data/');
  // Without an index nothing is found again.
  names('index/').forEach((name) => vault.objects.delete(name));
  points = [first, await backUp()];
  packs = [firstPacks, names('data/').filter((name) => !firstPacks.includes(name))];
  await using repository = await vault.open((same) => same, 1);
  await repository.repair({ index: 'all' });
});

afterEach(async () => {
  await vault[Symbol.asyncDispose]();
});

async function backUp(): Promise<string> {
  await using repository = await vault.open((same) => same, 1);
  return (await backup(repository, { disks: { xvda: new MemoryDisk(data) } })).summary.pointId;
}

function names(prefix: string): string[] {
  return [...vault.objects.keys()].filter((name) => name.startsWith(prefix));
}

/** In its first frame. */
function damage(name: string | undefined): void {
  const bytes = vault.objects.get(name ?? '')?.slice() ?? new Uint8Array(0);
  bytes[HEADER + 9] = (bytes[HEADER + 9] ?? 0) ^ 1;
  vault.objects.set(name ?? '', bytes);
}

async function browse(repository: Repository, pointId: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(data.length);
  for await (const piece of repository.readDisk({ pointId, diskKey: 'xvda' })) {
    bytes.set(piece.data ?? new Uint8Array(piece.length), piece.offset);
  }
  return bytes;
}

/** Whether each point, restored and browsed, is the disk. */
async function readBoth(wrap: (store: Store) => Store = (same) => same): Promise<boolean[]> {
  await using repository = await vault.open(wrap, 1);
  const same: boolean[] = [];
  for (const point of points) {
    same.push(sameBytes(await restore(repository, point, 'xvda'), data));
    same.push(sameBytes(await browse(repository, point), data));
  }
  return same;
}

test('a chunk whose frame is damaged is read from another pack that holds it', async () => {
  expect(packs[1].length).toBe(packs[0].length);
  packs[0].forEach(damage);
  expect(await readBoth()).toEqual([true, true, true, true]);
  expect(names('condemned/')).toEqual([]);
});

test('a chunk that lies in a sector which can’t be read, too', async () => {
  const failing = (store: Store): Store => {
    const sectors = new BadSectors(store);
    packs[1].forEach((name) => sectors.at.set(name, HEADER + 9));
    return sectors;
  };
  expect(await readBoth(failing)).toEqual([true, true, true, true]);
});

test('a chunk that a segment has twice is put in both places', async () => {
  const piece = new Uint8Array(randomBytes(16 * KIB));
  const twice = new Uint8Array(Buffer.concat([piece, new Uint8Array(16 * KIB), piece]));
  const store = async (): Promise<string> => {
    await using repository = await vault.open((same) => same, 1);
    return (await backup(repository, { disks: { xvda: new MemoryDisk(twice) } })).summary.pointId;
  };
  const before = names('data/');
  const pointId = await store();
  const [name] = names('data/').filter((each) => !before.includes(each));
  names('index/').forEach((each) => vault.objects.delete(each));
  await store();
  await using repository = await vault.open((same) => same, 1);
  await repository.repair({ index: 'all' });
  damage(name);
  expect(sameBytes(await restore(repository, pointId, 'xvda'), twice)).toBe(true);
});

test.each([1, 2] as const)('verification at level %i says that nothing is lost, and names the pack', async (level) => {
  damage(packs[0][0]);
  await using repository = await vault.open((same) => same, 1);
  const result = await repository.verify({ level });
  expect(result.damagedObjects).toMatchObject([{ name: packs[0][0], lostFrames: [0] }]);
  expect(result.damagedPoints).toEqual([]);
  expect(result.intactPoints.toSorted()).toEqual([...points].toSorted());
});

test.each([1, 2] as const)('damaged in both, it is lost, and level %i says so for each point', async (level) => {
  // Frames of both lie in the same order.
  damage(packs[0][0]);
  damage(packs[1][0]);
  await using repository = await vault.open((same) => same, 1);
  for (const point of points) {
    const failed = { code: 'VAULT_CORRUPT' };
    await expect(restore(repository, point, 'xvda')).rejects.toMatchObject(failed);
    await expect(browse(repository, point)).rejects.toMatchObject(failed);
  }
  // Also where only one of them is looked at: what it is led to is looked at too.
  for (const pointIds of [points, points.slice(0, 1), points.slice(1)]) {
    const { damagedPoints } = await repository.verify({ level, pointIds });
    expect(damagedPoints.map(({ pointId }) => pointId).toSorted()).toEqual([...pointIds].toSorted());
    expect(damagedPoints[0]?.disks[0]?.lostBytes).toBeGreaterThan(0);
    expect(damagedPoints[0]?.disks[0]?.lostBytes).toBeLessThan(64 * KIB);
  }
});

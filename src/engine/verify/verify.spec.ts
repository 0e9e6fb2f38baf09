import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { AppError } from '../../kernel/errors.ts';
import { DIGEST_BYTES, plainDigest } from '../keys/digest.ts';
import type { Store } from '../ports/store.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes, type TestVault } from '../testing/test-vault.ts';
import type { ByteRange, Repository } from '../types.ts';
import type { PackRecord, VerifyLevel, VerifyProgress, VerifyResult } from './verify-types.ts';

const LEVELS: readonly VerifyLevel[] = [0, 1, 2];
const HEADER = 64;
const DISK_BYTES = 420 * KIB + 100;
const CHANGE = { offset: 300 * KIB, length: 8 * KIB };

const first = new Uint8Array(randomBytes(DISK_BYTES));
first.fill(0, 100 * KIB, 200 * KIB);
const second = first.slice();
second.set(randomBytes(CHANGE.length), CHANGE.offset);
const other = new Uint8Array(randomBytes(200 * KIB));

let vault: TestVault;
let repository: Repository;
/** Two points of one disk, the second from its changes, and one of a disk that shares nothing with it. */
let points: { first: string; second: string; other: string };
/** Data packs that each of them brought. */
let packs: { first: string[]; second: string[]; other: string[] };

beforeEach(async () => {
  vault = await createTestVault();
  repository = await vault.open();
  const known = new Set<string>();
  const added = (): string[] => {
    const fresh = names('data/').filter((name) => !known.has(name));
    fresh.forEach((name) => known.add(name));
    return fresh;
  };
  const one = await backup(repository, { disks: { xvda: new MemoryDisk(first) } });
  const firstPacks = added();
  const base = { pointId: one.summary.pointId, changed: [CHANGE] };
  const two = await backup(repository, { disks: { xvda: new MemoryDisk(second) }, base });
  const secondPacks = added();
  const three = await backup(repository, { disks: { xvdb: new MemoryDisk(other) } });
  packs = { first: firstPacks, second: secondPacks, other: added() };
  points = { first: one.summary.pointId, second: two.summary.pointId, other: three.summary.pointId };
});

afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  await vault[Symbol.asyncDispose]();
});

function names(prefix: string): string[] {
  return [...vault.objects.keys()].filter((name) => name.startsWith(prefix));
}

function bytesOf(name: string): Uint8Array {
  return (vault.objects.get(name) ?? new Uint8Array(0)).slice();
}

function flip(name: string, at: number): void {
  const data = bytesOf(name);
  const place = at < 0 ? data.length + at : at;
  data[place] = (data[place] ?? 0) ^ 0x04;
  vault.objects.set(name, data);
}

function rehash(name: string): void {
  const data = bytesOf(name);
  data.set(plainDigest(data.subarray(0, -DIGEST_BYTES)), data.length - DIGEST_BYTES);
  vault.objects.set(name, data);
}

/** By a repository that remembers nothing. */
async function verifyAt(level: VerifyLevel): Promise<VerifyResult> {
  await using fresh = await vault.open((same) => same, 1);
  return await fresh.verify({ level });
}

/** Ranges of a disk that a fresh repository can't read, found by asking for 4 KiB at a time. */
async function unreadable(pointId: string, diskKey: string, size: number): Promise<ByteRange[]> {
  await using fresh = await vault.open();
  const ranges: { offset: number; length: number }[] = [];
  for (let offset = 0; offset < size; offset += 4 * KIB) {
    const length = Math.min(4 * KIB, size - offset);
    try {
      for await (const piece of fresh.readDisk({ pointId, diskKey, ranges: [{ offset, length }] })) {
        expect(piece.length).toBeGreaterThan(0);
      }
    } catch {
      const last = ranges.at(-1);
      if (last !== undefined && last.offset + last.length === offset) {
        last.length += length;
      } else {
        ranges.push({ offset, length });
      }
    }
  }
  return ranges;
}

/** Named ranges are exactly those that can't be read, and what is called intact restores. */
async function expectPrecise(result: VerifyResult): Promise<void> {
  const disks = { [points.first]: first, [points.second]: second };
  for (const [pointId, data] of Object.entries(disks)) {
    const named = result.damagedPoints.find((point) => point.pointId === pointId)?.disks[0]?.ranges ?? [];
    expect(named).toEqual(await unreadable(pointId, 'xvda', data.length));
  }
  await using fresh = await vault.open();
  const whole = { ...disks, [points.other]: other };
  for (const pointId of result.intactPoints) {
    const data = whole[pointId] ?? new Uint8Array(0);
    expect(sameBytes(await restore(fresh, pointId, pointId === points.other ? 'xvdb' : 'xvda'), data)).toBe(true);
  }
}

test.each(LEVELS)('a vault without damage has none at level %i', async (level) => {
  const result = await verifyAt(level);
  expect(result).toMatchObject({ level, complete: true, packsLeft: 0, damagedObjects: [], damagedPoints: [] });
  expect(result.intactPoints.toSorted()).toEqual(Object.values(points).toSorted());
  expect(result.packsChecked).toBe(names('data/').length);
  expect(Object.keys(result.state.packs).toSorted()).toEqual(names('data/').toSorted());
});

test.each([1, 2] as const)('a flipped bit in a frame costs that frame only, at level %i', async (level) => {
  const [name = ''] = packs.first;
  flip(name, HEADER + 10);
  expect((await verifyAt(0)).damagedObjects).toEqual([]);
  const result = await verifyAt(level);
  expect(result.damagedObjects).toMatchObject([{ name, problem: 'changed', lostFrames: [0] }]);
  expect(result.intactPoints).toEqual([points.other]);
  expect(result.damagedPoints.map(({ vmId, objects }) => ({ vmId, objects }))).toEqual([
    { vmId: 'vm-1', objects: [name] },
    { vmId: 'vm-1', objects: [name] },
  ]);
  await expectPrecise(result);
});

test('a change whose hash was made right again is found by opening, not by hashing', async () => {
  const [name = ''] = packs.first;
  flip(name, HEADER + 10);
  rehash(name);
  expect((await verifyAt(1)).damagedObjects).toEqual([]);
  expect((await verifyAt(2)).damagedObjects).toMatchObject([{ name, problem: 'changed', lostFrames: [0] }]);
});

test('a flipped bit in the hash itself costs nothing', async () => {
  const [name = ''] = packs.first;
  flip(name, -1);
  const result = await verifyAt(1);
  expect(result.damagedObjects).toMatchObject([{ name, problem: 'changed', lostFrames: [] }]);
  expect(result.damagedPoints).toEqual([]);
  await expectPrecise(result);
});

test.each([
  ['table', -100],
  ['commitment', -60],
  ['header’s id', 20],
  ['header’s salt', 40],
  ['magic', 0],
] as const)('a flipped bit in a pack’s %s costs the whole pack, at every level', async (_, at) => {
  const [name = ''] = packs.second;
  flip(name, at);
  for (const level of LEVELS) {
    const result = await verifyAt(level);
    expect(result.damagedObjects).toMatchObject([{ name, problem: 'changed', lostFrames: 'all' }]);
    expect(result.damagedPoints.map(({ pointId }) => pointId)).toEqual([points.second]);
  }
  await expectPrecise(await verifyAt(0));
});

test('a pack that is missing is named, with what it held', async () => {
  const [, name = ''] = packs.first;
  vault.objects.delete(name);
  for (const level of LEVELS) {
    const result = await verifyAt(level);
    expect(result.damagedObjects).toMatchObject([{ name, problem: 'missing', lostFrames: 'all' }]);
    expect(result.damagedPoints.map(({ pointId }) => pointId).toSorted()).toEqual(
      [points.first, points.second].toSorted(),
    );
  }
  await expectPrecise(await verifyAt(0));
});

test('a pack that is truncated is named, wherever it ends', async () => {
  const [name = ''] = packs.first;
  const original = bytesOf(name);
  for (const length of [0, 10, HEADER, HEADER + 200, Math.floor(original.length / 2), original.length - 1]) {
    vault.objects.set(name, original.slice(0, length));
    for (const level of [0, 2] as const) {
      const result = await verifyAt(level);
      expect(result.damagedObjects).toMatchObject([{ name, problem: 'truncated', lostFrames: 'all' }]);
      expect(result.intactPoints).toEqual([points.other]);
    }
  }
  await expectPrecise(await verifyAt(0));
});

test('packs that were exchanged are both named', async () => {
  const [one = ''] = packs.first;
  const [two = ''] = packs.other;
  const [a, b] = [bytesOf(one), bytesOf(two)];
  vault.objects.set(one, b);
  vault.objects.set(two, a);
  for (const level of LEVELS) {
    const result = await verifyAt(level);
    expect(result.damagedObjects.map(({ name, problem }) => ({ name, problem }))).toEqual(
      expect.arrayContaining([
        { name: one, problem: 'exchanged' },
        { name: two, problem: 'exchanged' },
      ]),
    );
    expect(result.intactPoints).toEqual([]);
  }
});

test('a lost index segment shows in the packs that none lists; nothing else is damaged', async () => {
  const [name = ''] = names('index/');
  vault.objects.delete(name);
  const result = await verifyAt(0);
  const unindexed = result.damagedObjects.map((object) => object.name);
  expect([packs.first, packs.second, packs.other].map((some) => some.toSorted())).toContainEqual(unindexed.toSorted());
  expect(new Set(result.damagedObjects.map(({ problem }) => problem))).toEqual(new Set(['not-indexed']));
  expect(result.damagedPoints).toEqual([]);
  await expectPrecise(result);
});

test('a damaged index segment is named; nothing else is damaged', async () => {
  const [name = ''] = names('index/');
  flip(name, HEADER + 3);
  const result = await verifyAt(0);
  expect(result.damagedObjects[0]).toMatchObject({ name, problem: 'changed', lostFrames: [] });
  expect(result.damagedPoints).toEqual([]);
});

test('a damaged manifest costs what it describes, in the points that it belongs to', async () => {
  const delta = (await repository.readPoint(points.second)).disks[0]?.layers.at(-1)?.packs[0]?.id ?? '';
  const name = `meta/${delta.slice(0, 2)}/${delta}`;
  flip(name, HEADER + 3);
  for (const level of LEVELS) {
    const result = await verifyAt(level);
    expect(result.damagedObjects).toMatchObject([{ name, problem: 'changed' }]);
    expect(result.damagedPoints).toMatchObject([{ pointId: points.second, vmId: 'vm-1', objects: [name] }]);
  }
  await expectPrecise(await verifyAt(0));
});

test('a flipped bit in a manifest’s hash costs nothing', async () => {
  const [name = ''] = names('meta/');
  flip(name, -1);
  const result = await verifyAt(1);
  expect(result.damagedObjects).toMatchObject([{ name, problem: 'changed', lostFrames: [] }]);
  expect(result.damagedPoints).toEqual([]);
});

test('a damaged restore point is named by its id, and the others stay', async () => {
  flip(`points/${points.second}`, 100);
  const result = await verifyAt(2);
  expect(result.damagedObjects).toMatchObject([{ name: `points/${points.second}`, problem: 'changed' }]);
  expect(result.damagedPoints).toMatchObject([{ pointId: points.second, vmId: null }]);
  expect(result.intactPoints.toSorted()).toEqual([points.first, points.other].toSorted());
  const some = await repository.verify({ level: 0, pointIds: [points.second, points.other] });
  expect(some.intactPoints).toEqual([points.other]);
});

test('a sector that can’t be read is damage; a store that is away is not', async () => {
  const [name = ''] = packs.other;
  const failing = (errno: string): ((store: Store) => Store) => {
    return (store) => ({
      description: 'a failing disk',
      putIfAbsent: (...args) => store.putIfAbsent(...args),
      get: (...args) => store.get(...args),
      getRange: async (object, offset, into, signal) => {
        if (object === name && offset <= HEADER + 5 && offset + into.length > HEADER + 5) {
          throw new AppError('VAULT_UNREACHABLE', `Could not read ${object}: ${errno}.`, { data: { errno } });
        }
        await store.getRange(object, offset, into, signal);
      },
      head: (...args) => store.head(...args),
      list: (...args) => store.list(...args),
      delete: (...args) => store.delete(...args),
      flush: () => store.flush(),
    });
  };
  for (const level of [1, 2] as const) {
    await using broken = await vault.open(failing('EIO'));
    const result = await broken.verify({ level });
    expect(result.damagedObjects).toMatchObject([{ name, lostFrames: [0] }]);
    expect(result.damagedPoints.map(({ pointId }) => pointId)).toEqual([points.other]);
    await using away = await vault.open(failing('ESTALE'));
    await expect(away.verify({ level })).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
  }
});

test('a scrub goes round in steps, oldest first, and its state is plain JSON', async () => {
  const all = names('data/').length;
  const seen: string[] = [];
  const onPack = (name: string, record: PackRecord): void => {
    expect(record).toMatchObject({ level: 1, damaged: false });
    seen.push(name);
  };
  await using single = await vault.open((same) => same, 1);
  let state: VerifyResult['state'] = { packs: {} };
  let steps = 0;
  for (let complete = false; !complete; steps += 1) {
    const result = await single.verify({ level: 1, state, since: 0, maxBytes: 1, onPack });
    expect(result.packsLeft).toBe(all - 1);
    state = JSON.parse(JSON.stringify(result.state)) as VerifyResult['state'];
    complete = Object.keys(state.packs).length === all;
  }
  expect(steps).toBe(all);
  expect(new Set(seen).size).toBe(all);
  const rest = await single.verify({ level: 1, state, since: 0, onPack });
  expect(rest).toMatchObject({ complete: true, packsChecked: 0, packsLeft: all });
  expect((await single.verify({ level: 2, state, since: 0 })).packsChecked).toBe(all);

  const [oldest = ''] = packs.second;
  const [hurt = ''] = packs.other;
  const records = Object.entries(state.packs).map(([name, record]) => {
    const old = name === oldest ? { ...record, checkedAt: 5 } : record;
    return [name, name === hurt ? { ...record, damaged: true } : old];
  });
  seen.length = 0;
  await single.verify({ level: 1, state: { packs: Object.fromEntries(records) }, maxBytes: 1, onPack });
  expect(seen).toEqual([hurt]);
  records.splice(0, records.length, ...records.map(([name, record]) => [name, { ...Object(record), damaged: false }]));
  seen.length = 0;
  await single.verify({ level: 1, state: { packs: Object.fromEntries(records) }, maxBytes: 1, onPack });
  expect(seen).toEqual([oldest]);
});

test('it can be cancelled and says how far it is; what it read until then was told', async () => {
  const controller = new AbortController();
  const told: VerifyProgress[] = [];
  const records: PackRecord[] = [];
  const running = repository.verify({
    level: 2,
    signal: controller.signal,
    onPack: (_, record) => {
      records.push(record);
      controller.abort();
    },
  });
  await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(records.length).toBeGreaterThan(0);
  await repository.verify({ level: 2, onProgress: (progress) => told.push(progress) });
  const read = told.filter(({ phase }) => phase === 'packs').at(-1);
  expect(read?.done).toBe(read?.total);
  expect(read?.bytesRead).toBe(read?.bytesTotal);
  expect(new Set(told.map(({ phase }) => phase))).toEqual(new Set(['manifests', 'packs', 'ranges']));
});

test('a point that is deleted while it is verified is not called damaged', async () => {
  const [name = ''] = packs.other;
  await using fresh = await vault.open();
  const result = await fresh.verify({
    level: 1,
    onProgress: ({ phase }) => {
      if (phase === 'manifests') {
        vault.objects.delete(`points/${points.other}`);
        vault.objects.delete(name);
      }
    },
  });
  expect(result.damagedPoints).toEqual([]);
  expect(result.damagedObjects).toEqual([]);
});

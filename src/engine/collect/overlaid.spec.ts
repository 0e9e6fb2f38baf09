import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { endOfWindow } from '../retention/retention-window.ts';
import { RetainingStore } from '../testing/retaining-store.ts';
import { backup, MemoryDisk, restore, sameBytes } from '../testing/test-vault.ts';
import { createCollectVault, noise, type CollectVault } from './testing/collect-vault.ts';

/** Changed at every run: its chunks are replaced again and again, in layers that all later points have. */
const HOT = { offset: 256 * KIB, length: 128 * KIB };
const DISK_BYTES = 768 * KIB;

let at: CollectVault;

beforeEach(async () => {
  at = await createCollectVault();
});

afterEach(() => at[Symbol.asyncDispose]());

interface Version {
  readonly pointId: string;
  readonly data: Uint8Array;
}

async function store(data = noise(DISK_BYTES)): Promise<Version> {
  return { pointId: await at.store(data), data };
}

/** The next version of a disk, from a change list. */
async function change(base: Version, range = HOT): Promise<Version> {
  const data = base.data.slice();
  data.set(noise(range.length), range.offset);
  const request = { disks: { xvda: new MemoryDisk(data) }, base: { pointId: base.pointId, changed: [range] } };
  return { pointId: (await backup(at.repository, request)).summary.pointId, data };
}

async function layersOf({ pointId }: Version): Promise<number> {
  return (await at.repository.readPoint(pointId)).disks[0]?.layers.length ?? 0;
}

async function collectAll(...gone: readonly Version[]): Promise<void> {
  for (const { pointId } of gone) {
    await at.repository.deletePoint(pointId);
  }
  const result = await at.repository.collect({ graceMs: 0, minLiveShare: 1 });
  expect(result).toMatchObject({ lostChunks: 0, damagedPacks: [], unreadable: [], pending: { packs: 0 } });
}

async function expectWhole(...versions: readonly Version[]): Promise<void> {
  await using fresh = await at.open();
  for (const { pointId, data } of versions) {
    expect(sameBytes(await restore(fresh, pointId, 'xvda'), data)).toBe(true);
  }
}

async function expectUndamaged(...versions: readonly Version[]): Promise<void> {
  const intactPoints = versions.map(({ pointId }) => pointId).toSorted();
  for (const level of [0, 1, 2] as const) {
    await using fresh = await at.open();
    const phases = new Set<string>();
    const result = await fresh.verify({ level, onProgress: ({ phase }) => phases.add(phase) });
    expect(result).toMatchObject({ damagedObjects: [], damagedPoints: [] });
    expect([...result.intactPoints].toSorted()).toEqual(intactPoints);
    // Ranges are only looked for where something seems damaged, or where everything is.
    expect(phases.has('ranges')).toBe(level === 2);
  }
}

test('what later layers have replaced goes with the points that showed it, before the layers are folded', async () => {
  const gone: Version[] = [];
  let last = await store();
  for (let run = 0; run < 5; run += 1) {
    gone.push(last);
    last = await change(last);
  }
  const all = at.packBytes();
  expect(await layersOf(last)).toBe(6);
  await collectAll(...gone);
  expect(all - at.packBytes()).toBeGreaterThan(4.5 * HOT.length);
  expect(at.packBytes()).toBeLessThan(DISK_BYTES + 32 * KIB);
  await expectWhole(last);
  await expectUndamaged(last);
});

test('what one branch has replaced stays for another', async () => {
  const first = await store();
  const base = await change(first);
  const [left, right] = [await change(base, { ...HOT, offset: 0 }), await change(base, { ...HOT, offset: 512 * KIB })];
  await collectAll(first, base);
  await expectWhole(left, right);
  await expectUndamaged(left, right);
  const before = at.packBytes();
  await collectAll(left);
  expect(before - at.packBytes()).toBeGreaterThan(HOT.length - 40 * KIB);
  await expectWhole(right);
});

test('a point that a session pins keeps what was replaced since', async () => {
  const first = await store();
  const second = await change(first);
  const reader = { sessionId: randomUUID(), pointId: randomUUID(), purpose: 'restore' as const };
  await at.repository.beginSession({ ...reader, pins: [first.pointId] });
  const before = at.packBytes();
  await at.repository.deletePoint(first.pointId);
  await at.repository.collect({ graceMs: 0, minLiveShare: 1 });
  expect(at.packBytes()).toBe(before);
  await at.repository.endSession(reader.sessionId);
  await at.repository.collect({ graceMs: 0, minLiveShare: 1 });
  expect(before - at.packBytes()).toBeGreaterThan(HOT.length - 40 * KIB);
  await expectWhole(second);
});

test('a backup goes on from a point of which replaced chunks are gone, through folds too', async () => {
  let last = await store();
  let folds = 0;
  for (let run = 0; run < 12; run += 1) {
    const next = await change(last, run % 3 === 0 ? { ...HOT, offset: 512 * KIB } : HOT);
    folds += (await layersOf(next)) <= (await layersOf(last)) ? 1 : 0;
    await collectAll(last);
    last = next;
  }
  expect(folds).toBeGreaterThan(0);
  await expectWhole(last);
  await expectUndamaged(last);
});

/** The same at.vault, on a store that can lock. */
function onRetainingStore(): RetainingStore {
  const retaining = new RetainingStore();
  at.vault.objects.forEach((data, name) => retaining.objects.set(name, data));
  return retaining;
}

const isPack = (name: string): boolean => /^(data|meta)\//.test(name);

test('a point can be locked though replaced chunks of it are gone', async () => {
  const first = await store();
  const second = await change(first);
  const { pointId } = await change(second);
  await collectAll(first, second);
  const retaining = onRetainingStore();
  await using locking = await at.open({ store: retaining });
  const until = endOfWindow(at.clock.now() + 1);
  await locking.extendRetention(pointId, until);
  const packs = [...retaining.objects.keys()].filter(isPack);
  expect(packs.filter((name) => (retaining.locks.get(name) ?? 0) < until)).toEqual([]);
});

test('a lock keeps what the point reads, and nothing that was replaced before', async () => {
  const first = await store();
  const second = await change(first);
  const last = await change(second);
  const retaining = onRetainingStore();
  await using locking = await at.open({ store: retaining });
  await locking.extendRetention(last.pointId, endOfWindow(at.clock.now() + 1));
  await locking.deletePoint(first.pointId);
  await locking.deletePoint(second.pointId);
  await locking.collect({ graceMs: 0 });
  const isLocked = (name: string): boolean => retaining.locks.has(name);
  const packs = [...at.vault.objects.keys()].filter(isPack);
  expect(packs.filter((name) => !isLocked(name)).length).toBeGreaterThan(1);
  expect([...retaining.objects.keys()].filter(isPack).every(isLocked)).toBe(true);
  expect(sameBytes(await restore(locking, last.pointId, 'xvda'), last.data)).toBe(true);
});

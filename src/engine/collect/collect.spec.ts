import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { openRepository } from '../open-repository.ts';
import type { Store } from '../ports/store.ts';
import { MemoryLeases } from '../sessions/memory-leases.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes, type TestVault } from '../testing/test-vault.ts';
import type { Repository } from '../types.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let vault: TestVault;
let clock: ManualClock;
let leases: MemoryLeases;
let repository: Repository;

function open(wrap: (store: Store) => Store = (same) => same): Promise<Repository> {
  const { keyRing, tenantId, repositoryId } = vault;
  return openRepository({ store: wrap(vault.store), keyRing, tenantId, repositoryId, clock, leases, workers: 1 });
}

beforeEach(async () => {
  vault = await createTestVault();
  clock = new ManualClock();
  leases = new MemoryLeases(clock);
  repository = await open();
});

afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  await vault[Symbol.asyncDispose]();
});

const noise = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
const named = (prefix: string): string[] => [...vault.objects.keys()].filter((name) => name.startsWith(prefix));
const packBytes = (): number => named('data/').reduce((sum, name) => sum + (vault.objects.get(name)?.length ?? 0), 0);

async function store(data: Uint8Array): Promise<string> {
  return (await backup(repository, { disks: { xvda: new MemoryDisk(data) } })).summary.pointId;
}

async function expectWhole(pointId: string, data: Uint8Array): Promise<void> {
  await using fresh = await open();
  for (const reader of [repository, fresh]) {
    expect(sameBytes(await restore(reader, pointId, 'xvda'), data)).toBe(true);
  }
}

test('a vault of which nothing was deleted stays as it is', async () => {
  const data = noise(700 * KIB);
  const pointId = await store(data);
  const before = [...vault.objects.keys()];
  const result = await repository.collect({ graceMs: 0 });
  expect([...vault.objects.keys()]).toEqual(before);
  expect(result.condemned.packs + result.deleted.dataPacks + result.pending.packs).toBe(0);
  expect(result.again).toBeNull();
  await expectWhole(pointId, data);
});

test('the space of a deleted point comes back, and no other point notices', async () => {
  const shared = Array.from({ length: 8 }, () => noise(48 * KIB));
  const mixed = (): Uint8Array => new Uint8Array(Buffer.concat(shared.flatMap((each) => [noise(48 * KIB), each])));
  const [first, second] = [mixed(), mixed()];
  const gone = await store(first);
  const kept = await store(second);
  const all = packBytes();
  await repository.deletePoint(gone);
  const result = await repository.collect({ graceMs: 0, minLiveShare: 1 });
  expect(result.deleted.points).toBe(1);
  expect(result.deleted.dataPacks).toBeGreaterThan(1);
  expect(result.copied.frames).toBeGreaterThan(0);
  expect(packBytes()).toBeLessThan(all - 250 * KIB);
  expect(result.pending.packs).toBe(0);
  await expectWhole(kept, second);
});

test('a deleted point that a delayed request brings back is none, and goes again', async () => {
  const gone = await store(noise(100 * KIB));
  const object = vault.objects.get(`points/${gone}`) ?? new Uint8Array(0);
  await repository.deletePoint(gone);
  await repository.collect({ graceMs: 0 });
  expect(named('points/')).toEqual([]);
  vault.objects.set(`points/${gone}`, object);
  for await (const { pointId } of repository.listPoints()) {
    throw new Error(`${pointId} was deleted`);
  }
  await expect(repository.readPoint(gone)).rejects.toMatchObject({ code: 'NO_RESTORE_POINT' });
  await repository.collect({ graceMs: 0 });
  expect(named('points/')).toEqual([]);
});

test('when the last point was deleted and a month has passed, what is left is what was condemned last', async () => {
  const gone = await store(noise(500 * KIB));
  await repository.deletePoint(gone);
  await repository.collect({ graceMs: 0 });
  expect([named('data/'), named('meta/'), named('index/'), named('sessions/')]).toEqual([[], [], [], []]);
  clock.advance(31 * DAY);
  const other = await store(noise(500 * KIB));
  await repository.deletePoint(other);
  await repository.collect({ graceMs: 0 });
  clock.advance(31 * DAY);
  await repository.collect({ graceMs: 0 });
  expect([...vault.objects.keys()].toSorted()).toEqual(['condemned/2', 'condemned/2.waits', 'repo.0']);
});

test('condemned packs stay for the grace period, and for sessions from before', async () => {
  const data = noise(400 * KIB);
  const gone = await store(data);
  const reader = { sessionId: randomUUID(), pointId: randomUUID(), purpose: 'restore' as const, pins: [gone] };
  await repository.beginSession(reader);
  await repository.deletePoint(gone);
  const pinned = await repository.collect();
  expect(pinned.waitsFor).toMatchObject([{ sessionId: reader.sessionId }]);
  expect([pinned.condemned.packs, pinned.deleted.points]).toEqual([0, 0]);
  await repository.endSession(reader.sessionId);

  const writer = { sessionId: randomUUID(), pointId: randomUUID(), purpose: 'backup' as const, pins: [] };
  await repository.beginSession(writer);
  const condemning = await repository.collect();
  expect(condemning.condemned.packs).toBeGreaterThan(0);
  expect(condemning.again).toBe(clock.now() + DAY);
  const keepAlive = async (): Promise<void> => leases.beat({ ...writer, repositoryId: vault.repositoryId });
  clock.advance(HOUR);
  await keepAlive();
  expect((await repository.collect()).waitsFor).toMatchObject([{ sessionId: writer.sessionId }]);
  const later = { sessionId: randomUUID(), pointId: randomUUID(), purpose: 'backup' as const, pins: [] };
  await repository.beginSession(later);
  await repository.endSession(writer.sessionId);
  expect((await repository.collect()).deleted.dataPacks).toBe(0);
  clock.advance(DAY);
  await leases.beat({ ...later, repositoryId: vault.repositoryId });
  const deleting = await repository.collect();
  expect(deleting.deleted.dataPacks).toBe(condemning.condemned.packs);
  expect(named('data/')).toEqual([]);
  await repository.endSession(later.sessionId);
});

test('what a writer left that died is collected, and the writer is fenced', async () => {
  const kept = noise(300 * KIB);
  const pointId = await store(kept);
  const ids = { sessionId: randomUUID(), pointId: randomUUID() };
  await repository.beginSession({ ...ids, purpose: 'backup', pins: [] });
  const source = new MemoryDisk(noise(500 * KIB));
  const disk = await repository.writeDisk({ ...ids, diskKey: 'xvda', sizeBytes: source.data.length, source });
  const whileAlive = await repository.collect({ graceMs: 0 });
  expect([whileAlive.deleted.sessions, whileAlive.condemned.packs, whileAlive.deleted.metaPacks]).toEqual([0, 0, 0]);
  clock.advance(HOUR);
  const result = await repository.collect({ graceMs: 0 });
  expect(result.deleted.sessions).toBe(1);
  expect(packBytes()).toBeLessThan(320 * KIB);
  expect([named('sessions/').length, named('meta/').length]).toEqual([0, 1]);
  const config = new Uint8Array(0);
  const commit = repository.commitPoint({ ...ids, vmId: 'vm', takenAt: 0, disks: [disk], config, info: {} });
  await expect(commit).rejects.toMatchObject({ code: 'SESSION_FENCED' });
  await expectWhole(pointId, kept);
});

test('deduplication returns nothing of a condemned pack', async () => {
  const data = noise(300 * KIB);
  const gone = await store(data);
  await repository.deletePoint(gone);
  const { condemned } = await repository.collect();
  expect(condemned.packs).toBeGreaterThan(0);
  const again = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  expect(again.disks[0]?.chunksNew).toBe(again.disks[0]?.chunksRead);
  clock.advance(2 * DAY);
  await repository.collect();
  await expectWhole(again.summary.pointId, data);
});

test('a damaged manifest stops collection from deleting what it may need', async () => {
  const data = noise(300 * KIB);
  await store(data);
  const gone = await store(noise(300 * KIB));
  await repository.deletePoint(gone);
  const [name = ''] = named('meta/');
  const whole = vault.objects.get(name) ?? new Uint8Array(0);
  vault.objects.set(name, whole.slice(0, -5));
  const result = await repository.collect({ graceMs: 0 });
  expect(result.unreadable).toEqual([name]);
  expect([result.condemned.packs, result.deleted.dataPacks]).toEqual([0, 0]);
  vault.objects.set(name, whole);
  expect((await repository.collect({ graceMs: 0 })).deleted.dataPacks).toBeGreaterThan(0);
});

test('a needed frame that does not open is named, and its pack stays', async () => {
  const shared = noise(16 * KIB);
  // Before zeros a chunk ends, wherever else it would be cut.
  const zeros = new Uint8Array(8 * KIB);
  const first = new Uint8Array(Buffer.concat([shared, zeros, noise(384 * KIB)]));
  const gone = await store(first);
  const kept = await store(new Uint8Array(Buffer.concat([shared, zeros, noise(8 * KIB)])));
  await repository.deletePoint(gone);
  const { condemned } = await repository.collect();
  expect(condemned.packs).toBeGreaterThan(1);
  const needed = named('data/').filter((name) => (vault.objects.get(name)?.length ?? 0) > 60 * KIB);
  needed.forEach((name) => vault.objects.get(name)?.fill(0, 64, 40 * KIB));
  clock.advance(2 * DAY);
  const result = await repository.collect();
  expect(result.damagedPacks).toHaveLength(1);
  expect(named('data/').filter((name) => name.endsWith(result.damagedPacks[0] ?? ''))).toHaveLength(1);
  expect(result.deleted.dataPacks).toBe(condemned.packs - 1);
  await expect(restore(repository, kept, 'xvda')).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
});

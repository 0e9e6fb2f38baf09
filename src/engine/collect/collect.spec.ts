import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { backup, MemoryDisk, restore, sameBytes } from '../testing/test-vault.ts';
import { createCollectVault, noise, type CollectVault } from './testing/collect-vault.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let at: CollectVault;

beforeEach(async () => {
  at = await createCollectVault();
});

afterEach(() => at[Symbol.asyncDispose]());

async function expectWhole(pointId: string, data: Uint8Array): Promise<void> {
  await using fresh = await at.open();
  for (const reader of [at.repository, fresh]) {
    expect(sameBytes(await restore(reader, pointId, 'xvda'), data)).toBe(true);
  }
}

test('a vault of which nothing was deleted stays as it is', async () => {
  const data = noise(700 * KIB);
  const pointId = await at.store(data);
  const before = [...at.vault.objects.keys()];
  const result = await at.repository.collect({ graceMs: 0 });
  expect([...at.vault.objects.keys()]).toEqual(before);
  expect(result.condemned.packs + result.deleted.dataPacks + result.pending.packs).toBe(0);
  expect(result.again).toBeNull();
  await expectWhole(pointId, data);
});

test('the space of a deleted point comes back, and no other point notices', async () => {
  const shared = Array.from({ length: 8 }, () => noise(48 * KIB));
  const mixed = (): Uint8Array => new Uint8Array(Buffer.concat(shared.flatMap((each) => [noise(48 * KIB), each])));
  const [first, second] = [mixed(), mixed()];
  const gone = await at.store(first);
  const kept = await at.store(second);
  const all = at.packBytes();
  await at.repository.deletePoint(gone);
  const result = await at.repository.collect({ graceMs: 0, minLiveShare: 1 });
  expect(result.deleted.points).toBe(1);
  expect(result.deleted.dataPacks).toBeGreaterThan(1);
  expect(result.copied.frames).toBeGreaterThan(0);
  expect(at.packBytes()).toBeLessThan(all - 250 * KIB);
  expect(result.pending.packs).toBe(0);
  await expectWhole(kept, second);
});

test('a deleted point that a delayed request brings back is none, and goes again', async () => {
  const gone = await at.store(noise(100 * KIB));
  const object = at.vault.objects.get(`points/${gone}`) ?? new Uint8Array(0);
  await at.repository.deletePoint(gone);
  await at.repository.collect({ graceMs: 0 });
  expect(at.named('points/')).toEqual([]);
  at.vault.objects.set(`points/${gone}`, object);
  for await (const { pointId } of at.repository.listPoints()) {
    throw new Error(`${pointId} was deleted`);
  }
  await expect(at.repository.readPoint(gone)).rejects.toMatchObject({ code: 'NO_RESTORE_POINT' });
  await at.repository.collect({ graceMs: 0 });
  expect(at.named('points/')).toEqual([]);
});

test('when the last point was deleted and a month has passed, what is left is what was condemned last', async () => {
  const gone = await at.store(noise(500 * KIB));
  await at.repository.deletePoint(gone);
  await at.repository.collect({ graceMs: 0 });
  expect([at.named('data/'), at.named('meta/'), at.named('index/'), at.named('sessions/')]).toEqual([[], [], [], []]);
  at.clock.advance(31 * DAY);
  const other = await at.store(noise(500 * KIB));
  await at.repository.deletePoint(other);
  await at.repository.collect({ graceMs: 0 });
  at.clock.advance(31 * DAY);
  await at.repository.collect({ graceMs: 0 });
  expect([...at.vault.objects.keys()].toSorted()).toEqual(['condemned/2', 'condemned/2.waits', 'repo.0']);
});

test('condemned packs stay for the grace period, and for sessions from before', async () => {
  const data = noise(400 * KIB);
  const gone = await at.store(data);
  const reader = { sessionId: randomUUID(), pointId: randomUUID(), purpose: 'restore' as const, pins: [gone] };
  await at.repository.beginSession(reader);
  await at.repository.deletePoint(gone);
  const pinned = await at.repository.collect();
  expect(pinned.waitsFor).toMatchObject([{ sessionId: reader.sessionId }]);
  expect([pinned.condemned.packs, pinned.deleted.points]).toEqual([0, 0]);
  await at.repository.endSession(reader.sessionId);

  const writer = { sessionId: randomUUID(), pointId: randomUUID(), purpose: 'backup' as const, pins: [] };
  await at.repository.beginSession(writer);
  const condemning = await at.repository.collect();
  expect(condemning.condemned.packs).toBeGreaterThan(0);
  expect(condemning.again).toBe(at.clock.now() + DAY);
  const keepAlive = async (): Promise<void> => at.leases.beat({ ...writer, repositoryId: at.vault.repositoryId });
  at.clock.advance(HOUR);
  await keepAlive();
  expect((await at.repository.collect()).waitsFor).toMatchObject([{ sessionId: writer.sessionId }]);
  const later = { sessionId: randomUUID(), pointId: randomUUID(), purpose: 'backup' as const, pins: [] };
  await at.repository.beginSession(later);
  await at.repository.endSession(writer.sessionId);
  expect((await at.repository.collect()).deleted.dataPacks).toBe(0);
  at.clock.advance(DAY);
  await at.leases.beat({ ...later, repositoryId: at.vault.repositoryId });
  const deleting = await at.repository.collect();
  expect(deleting.deleted.dataPacks).toBe(condemning.condemned.packs);
  expect(at.named('data/')).toEqual([]);
  await at.repository.endSession(later.sessionId);
});

test('what a writer left that died is collected, and the writer is fenced', async () => {
  const kept = noise(300 * KIB);
  const pointId = await at.store(kept);
  const ids = { sessionId: randomUUID(), pointId: randomUUID() };
  await at.repository.beginSession({ ...ids, purpose: 'backup', pins: [] });
  const source = new MemoryDisk(noise(500 * KIB));
  const disk = await at.repository.writeDisk({ ...ids, diskKey: 'xvda', sizeBytes: source.data.length, source });
  const whileAlive = await at.repository.collect({ graceMs: 0 });
  expect([whileAlive.deleted.sessions, whileAlive.condemned.packs, whileAlive.deleted.metaPacks]).toEqual([0, 0, 0]);
  at.clock.advance(HOUR);
  const result = await at.repository.collect({ graceMs: 0 });
  expect(result.deleted.sessions).toBe(1);
  expect(at.packBytes()).toBeLessThan(320 * KIB);
  expect([at.named('sessions/').length, at.named('meta/').length]).toEqual([0, 1]);
  const config = new Uint8Array(0);
  const commit = at.repository.commitPoint({ ...ids, vmId: 'vm', takenAt: 0, disks: [disk], config, info: {} });
  await expect(commit).rejects.toMatchObject({ code: 'SESSION_FENCED' });
  await expectWhole(pointId, kept);
});

test('deduplication returns nothing of a condemned pack', async () => {
  const data = noise(300 * KIB);
  const gone = await at.store(data);
  await at.repository.deletePoint(gone);
  const { condemned } = await at.repository.collect();
  expect(condemned.packs).toBeGreaterThan(0);
  const again = await backup(at.repository, { disks: { xvda: new MemoryDisk(data) } });
  expect(again.disks[0]?.chunksNew).toBe(again.disks[0]?.chunksRead);
  at.clock.advance(2 * DAY);
  await at.repository.collect();
  await expectWhole(again.summary.pointId, data);
});

test('a damaged manifest stops collection from deleting what it may need', async () => {
  const data = noise(300 * KIB);
  await at.store(data);
  const gone = await at.store(noise(300 * KIB));
  await at.repository.deletePoint(gone);
  const [name = ''] = at.named('meta/');
  const whole = at.vault.objects.get(name) ?? new Uint8Array(0);
  at.vault.objects.set(name, whole.slice(0, -5));
  const result = await at.repository.collect({ graceMs: 0 });
  expect(result.unreadable).toEqual([name]);
  expect([result.condemned.packs, result.deleted.dataPacks]).toEqual([0, 0]);
  at.vault.objects.set(name, whole);
  expect((await at.repository.collect({ graceMs: 0 })).deleted.dataPacks).toBeGreaterThan(0);
});

test('a needed frame that does not open is named, and its pack stays', async () => {
  const shared = noise(16 * KIB);
  // Before zeros a chunk ends, wherever else it would be cut.
  const zeros = new Uint8Array(8 * KIB);
  const first = new Uint8Array(Buffer.concat([shared, zeros, noise(384 * KIB)]));
  const gone = await at.store(first);
  const kept = await at.store(new Uint8Array(Buffer.concat([shared, zeros, noise(8 * KIB)])));
  await at.repository.deletePoint(gone);
  const { condemned } = await at.repository.collect();
  expect(condemned.packs).toBeGreaterThan(1);
  const needed = at.named('data/').filter((name) => (at.vault.objects.get(name)?.length ?? 0) > 60 * KIB);
  needed.forEach((name) => at.vault.objects.get(name)?.fill(0, 64, 40 * KIB));
  at.clock.advance(2 * DAY);
  const result = await at.repository.collect();
  expect(result.damagedPacks).toHaveLength(1);
  expect(at.named('data/').filter((name) => name.endsWith(result.damagedPacks[0] ?? ''))).toHaveLength(1);
  expect(result.deleted.dataPacks).toBe(condemned.packs - 1);
  await expect(restore(at.repository, kept, 'xvda')).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
});

import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { openRepository } from '../open-repository.ts';
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

function open(at = clock): Promise<Repository> {
  const { store, keyRing, tenantId, repositoryId } = vault;
  return openRepository({ store, keyRing, tenantId, repositoryId, clock: at, leases, workers: 1 });
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

async function store(data: Uint8Array, by = repository): Promise<string> {
  return (await backup(by, { disks: { xvda: new MemoryDisk(data) } })).summary.pointId;
}

function flip(name: string, fromEnd: number): void {
  const data = (vault.objects.get(name) ?? new Uint8Array(0)).slice();
  data[data.length - fromEnd] = (data[data.length - fromEnd] ?? 0) ^ 4;
  vault.objects.set(name, data);
}

test('what a number says that can’t be read any more deletes nothing; its packs are condemned again', async () => {
  const data = noise(300 * KIB);
  const gone = await store(data);
  await repository.deletePoint(gone);
  expect((await repository.collect()).condemned.packs).toBeGreaterThan(0);
  clock.advance(HOUR);
  await repository.collect();
  expect(named('condemned/')).toContain('condemned/1.waits');
  clock.advance(2 * DAY);
  flip('condemned/1', 90);
  // Knows nothing of the number.
  await using other = await open();
  const ids = { sessionId: randomUUID(), pointId: randomUUID() };
  await other.beginSession({ ...ids, purpose: 'backup', pins: [] });
  const source = new MemoryDisk(data);
  const disk = await other.writeDisk({ ...ids, diskKey: 'xvda', sizeBytes: data.length, source });
  expect(disk.chunksNew).toBe(0);
  await repository.collect();
  const rest = { vmId: 'vm', takenAt: 0, disks: [disk], config: new Uint8Array(0), info: {} };
  await other.commitPoint({ ...ids, ...rest });
  await other.endSession(ids.sessionId);
  clock.advance(2 * DAY);
  await repository.collect();
  await using fresh = await open();
  expect(sameBytes(await restore(fresh, ids.pointId, 'xvda'), data)).toBe(true);

  await repository.deletePoint(ids.pointId);
  await repository.collect();
  clock.advance(2 * DAY);
  await repository.collect();
  expect(named('data/')).toEqual([]);
});

test('damaged waits keep packs no longer than until they are condemned again', async () => {
  const gone = await store(noise(300 * KIB));
  await repository.deletePoint(gone);
  await repository.collect();
  clock.advance(HOUR);
  await repository.collect();
  flip('condemned/1.waits', 90);
  clock.advance(2 * DAY);
  await repository.collect();
  clock.advance(2 * DAY);
  await repository.collect();
  expect([named('data/'), named('meta/')]).toEqual([[], []]);
});

test('a clock that was ahead when packs were condemned does not keep them for years', async () => {
  const gone = await store(noise(300 * KIB));
  await repository.deletePoint(gone);
  const ahead = new ManualClock();
  ahead.advance(4000 * DAY);
  await using wrong = await open(ahead);
  expect((await wrong.collect()).condemned.packs).toBeGreaterThan(0);
  await repository.collect();
  clock.advance(2 * DAY);
  await repository.collect();
  expect([named('data/'), named('meta/')]).toEqual([[], []]);
});

test('a session that can’t be read stops collection for as long as it is alive', async () => {
  const data = noise(300 * KIB);
  const kept = await store(data);
  const gone = await store(noise(300 * KIB));
  const reader = { sessionId: randomUUID(), pointId: randomUUID(), purpose: 'restore' as const, pins: [gone] };
  await repository.beginSession(reader);
  await repository.deletePoint(gone);
  flip(`sessions/${reader.sessionId}`, 90);
  const result = await repository.collect({ graceMs: 0 });
  expect(result.unreadable).toEqual([`sessions/${reader.sessionId}`]);
  expect(result.deleted.points + result.condemned.packs).toBe(0);
  clock.advance(HOUR);
  expect((await repository.collect({ graceMs: 0 })).deleted.points).toBe(1);
  expect(named('sessions/')).toEqual([]);
  expect(sameBytes(await restore(repository, kept, 'xvda'), data)).toBe(true);
});

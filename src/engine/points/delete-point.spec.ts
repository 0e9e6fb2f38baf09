import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppError } from '../../kernel/errors.ts';
import { beginKeyGeneration } from '../begin-key-generation.ts';
import { openRepository } from '../open-repository.ts';
import type { KeyRing } from '../ports/key-ring.ts';
import type { Store } from '../ports/store.ts';
import { MemoryLeases } from '../sessions/memory-leases.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { backup, createTestVault, MemoryDisk, type TestVault } from '../testing/test-vault.ts';
import type { DiskResult } from '../write/write-types.ts';
import type { Repository } from '../repository.ts';

const data = new Uint8Array(randomBytes(40_000));
const HOUR = 3_600_000;

let vault: TestVault;
let clock: ManualClock;
let repository: Repository;

function open(store: Store): Promise<Repository> {
  const { keyRing, tenantId, repositoryId } = vault;
  const leases = new MemoryLeases(clock);
  return openRepository({ store, keyRing, tenantId, repositoryId, clock, leases, workers: 1 });
}

beforeEach(async () => {
  vault = await createTestVault();
  clock = new ManualClock();
  repository = await open(vault.store);
});

afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  await vault[Symbol.asyncDispose]();
});

async function pointIds(): Promise<string[]> {
  const ids: string[] = [];
  for await (const { pointId } of repository.listPoints()) {
    ids.push(pointId);
  }
  return ids;
}

async function makePoint(retainUntil?: number): Promise<string> {
  const ids = { sessionId: randomUUID(), pointId: randomUUID() };
  await repository.beginSession({ ...ids, purpose: 'backup', pins: [] });
  const source = new MemoryDisk(data);
  const disk: DiskResult = await repository.writeDisk({ ...ids, diskKey: 'xvda', sizeBytes: data.length, source });
  const kept = retainUntil === undefined ? {} : { retainUntil };
  await repository.commitPoint({ ...ids, vmId: 'vm', takenAt: 0, disks: [disk], config: data, info: {}, ...kept });
  await repository.endSession(ids.sessionId);
  return ids.pointId;
}

test('a point that was deleted is not there for anybody who asks, and deleting it again is the same', async () => {
  const [gone, kept] = [await makePoint(), await makePoint()];
  await repository.deletePoint(gone);
  await repository.deletePoint(gone);
  expect(await pointIds()).toEqual([kept]);
  const missing = { code: 'NO_RESTORE_POINT' };
  await expect(repository.readPoint(gone)).rejects.toMatchObject(missing);
  await expect(
    repository.readDisk({ pointId: gone, diskKey: 'xvda' })[Symbol.asyncIterator]().next(),
  ).rejects.toMatchObject(missing);
  const reader = { sessionId: randomUUID(), pointId: randomUUID(), purpose: 'restore' as const, pins: [gone] };
  await expect(repository.beginSession(reader)).rejects.toMatchObject(missing);
  await expect(
    backup(repository, { disks: { xvda: new MemoryDisk(data) }, base: { pointId: gone, changed: [] } }),
  ).rejects.toMatchObject(missing);
  await expect(repository.placeHold({ pointId: gone, holdId: randomUUID(), reason: 'late' })).rejects.toMatchObject(
    missing,
  );
  await expect(repository.extendRetention(gone, clock.now() + HOUR)).rejects.toMatchObject(missing);
});

test('what never was a point can’t be deleted', async () => {
  await expect(repository.deletePoint(randomUUID())).rejects.toMatchObject({ code: 'NO_RESTORE_POINT' });
  const fenced = randomUUID();
  await repository.fence(fenced);
  await expect(repository.deletePoint(fenced)).rejects.toMatchObject({ code: 'NO_RESTORE_POINT' });
});

test('a point stays until the date that it was committed with', async () => {
  const until = clock.now() + HOUR;
  const pointId = await makePoint(until);
  await expect(repository.deletePoint(pointId)).rejects.toMatchObject({
    code: 'POINT_RETAINED',
    data: { pointId, retainUntil: until },
  });
  expect(await repository.readCustody(pointId)).toEqual({ pointId, retainUntil: until, holds: [] });
  clock.advance(HOUR);
  await repository.deletePoint(pointId);
  expect(await pointIds()).toEqual([]);
});

test('a retention date only ever moves away', async () => {
  const pointId = await makePoint(clock.now() + HOUR);
  await repository.extendRetention(pointId, clock.now() + 3 * HOUR);
  await repository.extendRetention(pointId, clock.now() + 2 * HOUR);
  expect((await repository.readCustody(pointId)).retainUntil).toBe(clock.now() + 3 * HOUR);
  clock.advance(2 * HOUR);
  await expect(repository.deletePoint(pointId)).rejects.toMatchObject({ code: 'POINT_RETAINED' });
  clock.advance(HOUR);
  await repository.deletePoint(pointId);
  await expect(repository.extendRetention(randomUUID(), 1)).rejects.toMatchObject({ code: 'NO_RESTORE_POINT' });
});

test('a point stays as long as one hold stands, whoever else has let go', async () => {
  const pointId = await makePoint();
  const [a, b] = [randomUUID(), randomUUID()];
  await repository.placeHold({ pointId, holdId: a, reason: 'case 1' });
  await repository.placeHold({ pointId, holdId: b, reason: 'case 2' });
  await repository.placeHold({ pointId, holdId: b, reason: 'case 2 again' });
  await repository.releaseHold(pointId, a);
  await repository.releaseHold(pointId, a);
  const { holds } = await repository.readCustody(pointId);
  expect(holds).toEqual([{ holdId: b, placedAt: clock.now(), reason: 'case 2' }]);
  await expect(repository.deletePoint(pointId)).rejects.toMatchObject({ code: 'POINT_HELD', data: { holdIds: [b] } });
  await repository.releaseHold(pointId, b);
  await repository.deletePoint(pointId);
  expect(await pointIds()).toEqual([]);
});

test('of a hold and a deletion at once, one wins and the other is told', async () => {
  for (let round = 0; round < 20; round += 1) {
    const pointId = await makePoint();
    const [hold, deletion] = await Promise.allSettled([
      repository.placeHold({ pointId, holdId: randomUUID(), reason: 'race' }),
      repository.deletePoint(pointId),
    ]);
    const there = (await pointIds()).includes(pointId);
    expect([hold.status, deletion.status]).toEqual(there ? ['fulfilled', 'rejected'] : ['rejected', 'fulfilled']);
  }
});

test('an entry that was exchanged for another of the same point is found', async () => {
  const pointId = await makePoint();
  await repository.placeHold({ pointId, holdId: randomUUID(), reason: 'one' });
  await repository.extendRetention(pointId, clock.now() + HOUR);
  const first = vault.objects.get(`custody/${pointId}/1`) ?? new Uint8Array(0);
  vault.objects.set(`custody/${pointId}/1`, vault.objects.get(`custody/${pointId}/2`) ?? new Uint8Array(0));
  await expect(repository.deletePoint(pointId)).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
  vault.objects.delete(`custody/${pointId}/1`);
  await expect(repository.deletePoint(pointId)).rejects.toMatchObject({ code: 'VAULT_OBJECT_MISSING' });
  vault.objects.set(`custody/${pointId}/1`, first);
  await expect(repository.deletePoint(pointId)).rejects.toMatchObject({ code: 'POINT_RETAINED' });
});

test('a point with damaged custody is named, and can be read, and not deleted', async () => {
  const [damaged, kept] = [await makePoint(), await makePoint()];
  await repository.placeHold({ pointId: damaged, holdId: randomUUID(), reason: 'one' });
  vault.objects.get(`custody/${damaged}/1`)?.fill(0, 90, 100);
  const told: string[] = [];
  const listed: string[] = [];
  for await (const { pointId } of repository.listPoints({ onDamaged: (pointId) => told.push(pointId) })) {
    listed.push(pointId);
  }
  expect([listed.toSorted(), told]).toEqual([[damaged, kept].toSorted(), [damaged]]);
  expect((await repository.readPoint(damaged)).summary.pointId).toBe(damaged);
  await expect(repository.deletePoint(damaged)).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
});

test('a point that was sealed with a key which is not at hand is not deleted', async () => {
  await beginKeyGeneration(vault);
  await repository[Symbol.asyncDispose]();
  repository = await open(vault.store);
  const pointId = await makePoint(clock.now() + HOUR);
  const { keyRing, tenantId, repositoryId, store } = vault;
  const older: KeyRing = {
    createRepositoryKeys: (id) => keyRing.createRepositoryKeys(id),
    getRepositoryKeys: async (id) => {
      if (id.generation > 0) {
        throw new AppError('KEY_MISSING', 'Not in a copy from before the rotation.');
      }
      return await keyRing.getRepositoryKeys(id);
    },
  };
  const leases = new MemoryLeases(clock);
  await using other = await openRepository({
    store,
    keyRing: older,
    tenantId,
    repositoryId,
    clock,
    leases,
    workers: 1,
  });
  for (const isLost of [false, true]) {
    await expect(other.deletePoint(pointId, { isLost })).rejects.toMatchObject({
      code: 'VAULT_CORRUPT',
      data: { object: `points/${pointId}` },
    });
  }
  expect(await pointIds()).toEqual([pointId]);
});

test('a session that is older than seven days does not commit any more', async () => {
  const ids = { sessionId: randomUUID(), pointId: randomUUID() };
  await repository.beginSession({ ...ids, purpose: 'backup', pins: [] });
  clock.advance(7 * 24 * HOUR + 1);
  const commit = repository.commitPoint({ ...ids, vmId: 'vm', takenAt: 0, disks: [], config: data, info: {} });
  await expect(commit).rejects.toMatchObject({ code: 'SESSION_FENCED' });
  expect(await pointIds()).toEqual([]);
});

test('tombstones are not opened to list points', async () => {
  const pointId = await makePoint();
  const fenced = randomUUID();
  await repository.fence(fenced);
  vault.objects.get(`points/${fenced}`)?.fill(0);
  expect(await pointIds()).toEqual([pointId]);
});

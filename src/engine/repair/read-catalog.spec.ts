import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { BadSectors } from '../testing/bad-sectors.ts';
import { backup, createTestVault, MemoryDisk, type TestVault } from '../testing/test-vault.ts';
import type { PointSummary } from '../points/point-types.ts';
import type { Repository } from '../repository.ts';

let vault: TestVault;
let repository: Repository;

beforeEach(async () => {
  vault = await createTestVault();
  repository = await vault.open((same) => same, 1);
});

afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  await vault[Symbol.asyncDispose]();
});

async function makePoint(): Promise<PointSummary> {
  const disks = { xvda: new MemoryDisk(randomBytes(100 * KIB)) };
  return (await backup(repository, { disks })).summary;
}

function flip(name: string): void {
  const data = (vault.objects.get(name) ?? new Uint8Array(0)).slice();
  data[100] = (data[100] ?? 0) ^ 1;
  vault.objects.set(name, data);
}

test('it tells points with what keeps them, condemned packs and sessions, by a reader that knows nothing', async () => {
  const [plain, kept, held, gone] = [await makePoint(), await makePoint(), await makePoint(), await makePoint()];
  const until = 4_000_000_000_000;
  const holdId = randomUUID();
  await repository.extendRetention(kept.pointId, until);
  await repository.placeHold({ pointId: held.pointId, holdId, reason: 'case 7' });
  await repository.deletePoint(gone.pointId);
  const pack = [...vault.objects.keys()].find((name) => name.startsWith('data/')) ?? '';
  vault.objects.delete(pack);
  await repository.verify({ level: 0, condemn: true });
  const sessionId = randomUUID();
  const future = randomUUID();
  await repository.beginSession({ sessionId, pointId: future, purpose: 'backup', pins: [plain.pointId] });
  expect(await repository.raiseEpoch()).toBe(1);

  await using fresh = await vault.open((same) => same, 1);
  const catalog = await fresh.readCatalog();
  expect(catalog).toMatchObject({ repositoryId: vault.repositoryId, epoch: 1, damaged: [] });
  expect(catalog.points).toHaveLength(3);
  expect(catalog.points).toEqual(
    expect.arrayContaining([
      { ...plain, retainUntil: 0, holds: [] },
      { ...kept, retainUntil: until, holds: [] },
      { ...held, retainUntil: 0, holds: [{ holdId, reason: 'case 7', placedAt: expect.any(Number) }] },
    ]),
  );
  expect(catalog.condemned).toMatchObject([{ number: 1, reason: 'damaged', packs: [pack] }]);
  expect(catalog.sessions).toMatchObject([{ sessionId, pointId: future, purpose: 'backup', pins: [plain.pointId] }]);
  expect(JSON.parse(JSON.stringify(catalog))).toEqual(catalog);
});

test('what is damaged is named, and everything else is told', async () => {
  const [whole, hurt] = [await makePoint(), await makePoint()];
  const [sessionId, other] = [randomUUID(), randomUUID()];
  for (const id of [sessionId, other]) {
    await repository.beginSession({ sessionId: id, pointId: randomUUID(), purpose: 'verify', pins: [whole.pointId] });
  }
  await repository.raiseEpoch();
  const names = [`points/${hurt.pointId}`, `sessions/${sessionId}`, 'epoch/1'];
  names.forEach(flip);
  await using fresh = await vault.open((same) => same, 1);
  const catalog = await fresh.readCatalog();
  expect(catalog.points.map(({ pointId }) => pointId)).toEqual([whole.pointId]);
  expect(catalog.sessions.map((session) => session.sessionId)).toEqual([other]);
  expect(catalog.epoch).toBeNull();
  expect(catalog.damaged.map(({ name }) => name).toSorted()).toEqual([...names.slice(0, 2), 'epoch/'].toSorted());
  expect(await fresh.raiseEpoch()).toBe(2);
  expect((await fresh.readCatalog()).epoch).toBe(2);
});

test('a raised epoch fences a writer from before it, and not one from after', async () => {
  const before = { sessionId: randomUUID(), pointId: randomUUID(), purpose: 'backup' as const, pins: [] };
  await repository.beginSession(before);
  await repository.raiseEpoch();
  const commit = { ...before, vmId: 'vm-1', takenAt: 1, disks: [], config: new Uint8Array(0), info: {} };
  await expect(repository.commitPoint(commit)).rejects.toMatchObject({ code: 'SESSION_FENCED' });
  await makePoint();
  expect((await repository.readCatalog()).points).toHaveLength(1);
});

test('what is condemned and lies in a bad sector is named, and keeps nobody from the rest', async () => {
  const point = await makePoint();
  const other = await makePoint();
  const pack = [...vault.objects.keys()].find((name) => name.startsWith('data/')) ?? '';
  vault.objects.delete(pack);
  await repository.verify({ level: 0, condemn: true });
  await using fresh = await vault.open((store) => {
    const sectors = new BadSectors(store);
    sectors.at.set('condemned/1', 0);
    return sectors;
  }, 1);
  const catalog = await fresh.readCatalog();
  expect(catalog.damaged).toMatchObject([{ name: 'condemned/1' }]);
  expect(catalog.points.map(({ pointId }) => pointId).toSorted()).toEqual([point.pointId, other.pointId].toSorted());
  expect(catalog.condemned).toEqual([]);
});

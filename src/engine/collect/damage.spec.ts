import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Store } from '../ports/store.ts';
import { alterStore } from '../testing/alter-store.ts';
import { BadSectors } from '../testing/bad-sectors.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { MemoryDisk, restore, sameBytes } from '../testing/test-vault.ts';
import { createCollectVault, noise, type CollectVault } from './testing/collect-vault.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let at: CollectVault;

beforeEach(async () => {
  at = await createCollectVault();
});

afterEach(() => at[Symbol.asyncDispose]());

function flip(name: string, fromEnd: number): void {
  const data = (at.vault.objects.get(name) ?? new Uint8Array(0)).slice();
  data[data.length - fromEnd] = (data[data.length - fromEnd] ?? 0) ^ 4;
  at.vault.objects.set(name, data);
}

test('what a number says that can’t be read any more deletes nothing; its packs are condemned again', async () => {
  const data = noise(300 * KIB);
  const gone = await at.store(data);
  await at.repository.deletePoint(gone);
  expect((await at.repository.collect()).condemned.packs).toBeGreaterThan(0);
  at.clock.advance(HOUR);
  await at.repository.collect();
  expect(at.named('condemned/')).toContain('condemned/1.waits');
  at.clock.advance(2 * DAY);
  flip('condemned/1', 90);
  // Knows nothing of the number.
  await using other = await at.open();
  const ids = { sessionId: randomUUID(), pointId: randomUUID() };
  await other.beginSession({ ...ids, purpose: 'backup', pins: [] });
  const source = new MemoryDisk(data);
  const disk = await other.writeDisk({ ...ids, diskKey: 'xvda', sizeBytes: data.length, source });
  expect(disk.chunksNew).toBe(0);
  await at.repository.collect();
  const rest = { vmId: 'vm', takenAt: 0, disks: [disk], config: new Uint8Array(0), info: {} };
  await other.commitPoint({ ...ids, ...rest });
  await other.endSession(ids.sessionId);
  at.clock.advance(2 * DAY);
  await at.repository.collect();
  await using fresh = await at.open();
  expect(sameBytes(await restore(fresh, ids.pointId, 'xvda'), data)).toBe(true);

  await at.repository.deletePoint(ids.pointId);
  await at.repository.collect();
  at.clock.advance(2 * DAY);
  await at.repository.collect();
  expect(at.named('data/')).toEqual([]);
});

test('damaged waits keep packs no longer than until they are condemned again', async () => {
  const gone = await at.store(noise(300 * KIB));
  await at.repository.deletePoint(gone);
  await at.repository.collect();
  at.clock.advance(HOUR);
  await at.repository.collect();
  flip('condemned/1.waits', 90);
  at.clock.advance(2 * DAY);
  await at.repository.collect();
  at.clock.advance(2 * DAY);
  await at.repository.collect();
  expect([at.named('data/'), at.named('meta/')]).toEqual([[], []]);
});

test('a clock that was ahead when packs were condemned does not keep them for years', async () => {
  const gone = await at.store(noise(300 * KIB));
  await at.repository.deletePoint(gone);
  const ahead = new ManualClock();
  ahead.advance(4000 * DAY);
  await using wrong = await at.open({ clock: ahead });
  expect((await wrong.collect()).condemned.packs).toBeGreaterThan(0);
  await at.repository.collect();
  at.clock.advance(2 * DAY);
  await at.repository.collect();
  expect([at.named('data/'), at.named('meta/')]).toEqual([[], []]);
});

test('a session that can’t be read stops collection for as long as it is alive', async () => {
  const data = noise(300 * KIB);
  const kept = await at.store(data);
  const gone = await at.store(noise(300 * KIB));
  const reader = { sessionId: randomUUID(), pointId: randomUUID(), purpose: 'restore' as const, pins: [gone] };
  await at.repository.beginSession(reader);
  await at.repository.deletePoint(gone);
  flip(`sessions/${reader.sessionId}`, 90);
  const result = await at.repository.collect({ graceMs: 0 });
  expect(result.unreadable).toEqual([`sessions/${reader.sessionId}`]);
  expect(result.deleted.points + result.condemned.packs).toBe(0);
  at.clock.advance(HOUR);
  expect((await at.repository.collect({ graceMs: 0 })).deleted.points).toBe(1);
  expect(at.named('sessions/')).toEqual([]);
  expect(sameBytes(await restore(at.repository, kept, 'xvda'), data)).toBe(true);
});

const TOMBSTONE_BYTES = 168;
/** What may become of a point's object that nobody deleted. */
const LOST: Readonly<Record<string, (name: string) => void>> = {
  'is gone': (name) => at.vault.objects.delete(name),
  'is as long as a tombstone': (name) => at.vault.objects.set(name, noise(TOMBSTONE_BYTES)),
};

test.each(Object.keys(LOST))('a held point whose object %s is damage: its data is not collected', async (how) => {
  const data = noise(300 * KIB);
  const pointId = await at.store(data);
  await at.repository.placeHold({ pointId, holdId: 'court', reason: 'a case' });
  const name = `points/${pointId}`;
  const object = at.vault.objects.get(name) ?? new Uint8Array(0);
  LOST[how]?.(name);
  for (let pass = 0; pass < 4; pass += 1) {
    expect(await at.repository.collect()).toMatchObject({ unreadable: [name] });
    at.clock.advance(2 * DAY);
  }
  await using fresh = await at.open();
  expect(await fresh.verify({ level: 0 })).toMatchObject({ damagedObjects: [{ name }] });
  at.vault.objects.set(name, object);
  expect(sameBytes(await restore(fresh, pointId, 'xvda'), data)).toBe(true);
});

test.each([1, 2])('a held point that is gone is lost also where entry %i of its custody is damaged', async (number) => {
  const pointId = await at.store(noise(300 * KIB));
  await at.repository.placeHold({ pointId, holdId: 'court', reason: 'a case' });
  await at.repository.placeHold({ pointId, holdId: 'tax', reason: 'another' });
  const name = `points/${pointId}`;
  at.vault.objects.delete(name);
  flip(`custody/${pointId}/${number}`, 90);
  await using fresh = await at.open();
  const packs = at.named('data/');
  for (let pass = 0; pass < 3; pass += 1) {
    expect(await fresh.collect({ graceMs: 0 })).toMatchObject({ unreadable: [name] });
  }
  expect(at.named('data/')).toEqual(packs);
  expect(await fresh.verify({ level: 0 })).toMatchObject({ damagedObjects: [{ name, problem: 'missing' }] });
});

test('damage in custody does not hide that the rest of it could not be asked for', async () => {
  const pointId = await at.store(noise(100 * KIB));
  await at.repository.placeHold({ pointId, holdId: 'court', reason: 'a case' });
  await at.repository.releaseHold(pointId, 'court');
  await at.repository.deletePoint(pointId);
  flip(`custody/${pointId}/1`, 90);
  const away = new BadSectors(at.vault.store, 'ETIMEDOUT');
  away.at.set(`custody/${pointId}/3`, 0);
  await using fresh = await at.open({ store: away });
  const list = async (): Promise<void> => {
    for await (const point of fresh.listPoints({ onDamaged: () => undefined })) {
      expect(point).toBe('nothing that is listed');
    }
  };
  await expect(list()).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
});

test.each(['points/', 'custody/'])('what lies in a bad sector below %s hides no other point', async (folder) => {
  const [bad, good] = [await at.store(noise(100 * KIB)), await at.store(noise(100 * KIB))];
  await at.repository.placeHold({ pointId: bad, holdId: 'court', reason: 'a case' });
  const sectors = new BadSectors(at.vault.store);
  at.named(`${folder}${bad}`).forEach((name) => sectors.at.set(name, 0));
  await using fresh = await at.open({ store: sectors });
  const told: string[] = [];
  const seen: string[] = [];
  for await (const { pointId } of fresh.listPoints({ onDamaged: (id) => told.push(id) })) {
    seen.push(pointId);
  }
  expect(told).toEqual([bad]);
  expect(seen).toContain(good);
});

test('a tombstone in the place of a held point, put by who ends its writer, hides nothing', async () => {
  const pointId = await at.store(noise(300 * KIB));
  await at.repository.placeHold({ pointId, holdId: 'court', reason: 'a case' });
  const name = `points/${pointId}`;
  at.vault.objects.delete(name);
  await at.repository.fence(pointId);
  const packs = at.named('data/');
  for (let pass = 0; pass < 3; pass += 1) {
    expect(await at.repository.collect()).toMatchObject({ unreadable: [name] });
    at.clock.advance(2 * DAY);
  }
  expect(at.named('data/')).toEqual(packs);
  expect(await at.repository.verify({ level: 0 })).toMatchObject({ damagedObjects: [{ name, problem: 'missing' }] });
});

test('a lost point is let go of where it is said that it is lost: after its holds, and for good', async () => {
  const pointId = await at.store(noise(300 * KIB));
  await at.repository.placeHold({ pointId, holdId: 'court', reason: 'a case' });
  at.vault.objects.delete(`points/${pointId}`);
  const isLost = true;
  await expect(at.repository.deletePoint(pointId, { isLost })).rejects.toMatchObject({ code: 'POINT_HELD' });
  await at.repository.releaseHold(pointId, 'court');
  // Its object may only be out of sight, and only that says how long it is retained.
  await expect(at.repository.deletePoint(pointId)).rejects.toMatchObject({ code: 'NO_RESTORE_POINT' });
  await at.repository.deletePoint(pointId, { isLost });
  for (let pass = 0; pass < 40; pass += 1) {
    expect(await at.repository.collect()).toMatchObject({ unreadable: [] });
    at.clock.advance(2 * DAY);
  }
  expect([...at.named('data/'), ...at.named('custody/')]).toEqual([]);
});

test('a point that can be read is not let go of as lost, and one that was deleted is no error', async () => {
  const pointId = await at.store(noise(300 * KIB));
  const isLost = true;
  await expect(at.repository.deletePoint(pointId, { isLost })).rejects.toMatchObject({ code: 'BAD_INPUT' });
  expect(at.named('custody/')).toEqual([]);
  await at.repository.deletePoint(pointId);
  await at.repository.deletePoint(pointId, { isLost });
});

test.each([
  ['a pack', (name: string) => name.startsWith('data/')],
  ['an announcement of one', (name: string) => /^sessions\/[^/]+\./.test(name)],
])('%s that a disk does not write is no damage of what was to be copied', async (_, isHit) => {
  const shared = Array.from({ length: 8 }, () => noise(48 * KIB));
  const mixed = (): Uint8Array => new Uint8Array(Buffer.concat(shared.flatMap((each) => [noise(48 * KIB), each])));
  const gone = await at.store(mixed());
  const data = mixed();
  const kept = await at.store(data);
  await at.repository.deletePoint(gone);
  const { store } = at.vault;
  let failed = 0;
  const putIfAbsent: Store['putIfAbsent'] = (name, ...put) => {
    if (failed === 0 && isHit(name)) {
      failed += 1;
      throw new AppError('VAULT_UNREACHABLE', `Could not write ${name}: EIO.`, { data: { errno: 'EIO' } });
    }
    return store.putIfAbsent(name, ...put);
  };
  await using broken = await at.open({ store: alterStore(store, { putIfAbsent }) });
  await expect(broken.collect({ graceMs: 0, minLiveShare: 1 })).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
  expect(failed).toBe(1);
  await using fresh = await at.open();
  expect(sameBytes(await restore(fresh, kept, 'xvda'), data)).toBe(true);
});

test('custody with a gap behind every entry is given up after a thousand that are missing', async () => {
  const pointId = await at.store(noise(100 * KIB));
  for (let number = 1000; number <= 20_000; number += 1000) {
    at.vault.objects.set(`custody/${pointId}/${number}`, new Uint8Array(0));
  }
  let asked = 0;
  const { store } = at.vault;
  const get: Store['get'] = (name, ...rest) => {
    asked += name.startsWith('custody/') ? 1 : 0;
    return store.get(name, ...rest);
  };
  await using fresh = await at.open({ store: alterStore(store, { get }) });
  const told: string[] = [];
  for await (const point of fresh.listPoints({ onDamaged: (id) => told.push(id) })) {
    expect(point.pointId).toBe(pointId);
  }
  expect(told).toEqual([pointId]);
  expect(asked).toBeLessThan(2100);
});

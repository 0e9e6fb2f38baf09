import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { beginKeyGeneration } from '../begin-key-generation.ts';
import { restore, sameBytes } from '../testing/test-vault.ts';
import { backUp, createClockedVault, DAY, DISK, WINDOW, type ClockedVault } from './testing/locked-vault.ts';

let vault: ClockedVault;

beforeEach(async () => {
  vault = await createClockedVault();
});

afterEach(() => vault[Symbol.asyncDispose]());

const dates = (prefix: string): (number | undefined)[] =>
  vault.names(prefix).map((name) => vault.store.locks.get(name));

test('what is said of a point is locked as long as the point, and longer when the point is', async () => {
  const { repository } = vault;
  const { pointId } = await backUp(repository, { retainUntil: WINDOW + 90 * DAY });
  const hold = { pointId, holdId: randomUUID(), reason: 'a case' };
  await repository.placeHold(hold);
  await repository.releaseHold(pointId, hold.holdId);
  expect(dates('custody/')).toEqual([WINDOW + 90 * DAY, WINDOW + 90 * DAY]);
  await repository.extendRetention(pointId, WINDOW + 95 * DAY);
  expect(dates('custody/')).toEqual([WINDOW + 100 * DAY, WINDOW + 100 * DAY, WINDOW + 100 * DAY]);
});

test('epochs and generations are locked as long as the longest lock', async () => {
  const { repository, store, options } = vault;
  await repository.raiseEpoch();
  await backUp(repository, { retainUntil: WINDOW });
  expect([...dates('epoch/'), ...dates('repo.')]).toEqual([WINDOW, WINDOW]);
  await repository.raiseEpoch();
  await beginKeyGeneration({ ...options, store });
  expect([...dates('epoch/'), ...dates('repo.')]).toEqual([WINDOW, WINDOW, WINDOW, WINDOW]);
  await backUp(repository, { retainUntil: WINDOW + DAY });
  expect(new Set([...dates('epoch/'), ...dates('repo.')])).toEqual(new Set([WINDOW + 10 * DAY]));
});

test('a point that is held is locked, and stays so while somebody collects', async () => {
  const { clock, repository, store } = vault;
  const { pointId } = await backUp(repository, {});
  await backUp(repository, { disk: DISK.map((byte) => byte ^ 1) });
  expect(store.locks.size).toBe(0);
  await repository.placeHold({ pointId, holdId: randomUUID(), reason: 'a case' });
  const locked = [...store.locks.keys()];
  expect(locked).toEqual(expect.arrayContaining([`points/${pointId}`, 'repo.0', `custody/${pointId}/1`]));
  expect(locked.length).toBeLessThan(store.objects.size - 5);
  for (let month = 1; month <= 6; month += 1) {
    clock.advance(28 * DAY);
    await repository.collect();
    expect(locked.filter((name) => (store.locks.get(name) ?? 0) < clock.now() + 20 * DAY)).toEqual([]);
  }
  expect(new Set(store.locks.keys())).toEqual(new Set(locked));
});

test('a point that lacks something can be held', async () => {
  const { repository, store } = vault;
  const { pointId } = await backUp(repository, {});
  store.objects.delete(vault.names('data/')[0] ?? '');
  await repository.placeHold({ pointId, holdId: randomUUID(), reason: 'a case' });
  expect((await repository.readCustody(pointId)).holds).toHaveLength(1);
  const never = { pointId: randomUUID(), holdId: randomUUID(), reason: 'none' };
  await expect(repository.placeHold(never)).rejects.toMatchObject({ code: 'NO_RESTORE_POINT' });
});

test('something forged after a hold does not end its renewal', async () => {
  const { clock, repository, store } = vault;
  const { pointId } = await backUp(repository, {});
  await repository.placeHold({ pointId, holdId: randomUUID(), reason: 'a case' });
  store.objects.set(`custody/${pointId}/2`, new Uint8Array(300));
  store.objects.set(`custody/${randomUUID()}/1`, new Uint8Array(300));
  clock.advance(50 * DAY);
  await repository.collect();
  expect(store.locks.get(`points/${pointId}`)).toBeGreaterThan(clock.now() + 30 * DAY);
});

test('what became of a point that is long gone goes when the store lets it', async () => {
  const { clock, repository, store } = vault;
  const { pointId } = await backUp(repository, { retainUntil: WINDOW - 8 * DAY });
  await repository.extendRetention(pointId, WINDOW - 7 * DAY);
  await repository.extendRetention(pointId, WINDOW - 6 * DAY);
  clock.advance(5 * DAY);
  await repository.deletePoint(pointId);
  await repository.collect({ graceMs: 0 });
  expect(store.objects.has(`points/${pointId}`)).toBe(true);
  store.locks.set(`custody/${pointId}/2`, WINDOW + 60 * DAY);
  for (const { days, left } of [
    { days: 10, left: ['1', '2', '3'] },
    { days: 40, left: ['2', '3'] },
    { days: 40, left: [] },
  ]) {
    clock.advance(days * DAY);
    await repository.collect({ graceMs: 0 });
    expect(vault.names('custody/')).toEqual(left.map((number) => `custody/${pointId}/${number}`));
  }
  expect(vault.names('points/')).toEqual([]);
  const last = await backUp(repository, {});
  expect(sameBytes(await restore(repository, last.pointId, 'xvda'), DISK)).toBe(true);
});

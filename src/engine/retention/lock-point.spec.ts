import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { beginKeyGeneration } from '../begin-key-generation.ts';
import { createRepository } from '../create-repository.ts';
import { CondemnedLog } from '../collect/condemned-log.ts';
import { uuidToObjectId } from '../format/ids.ts';
import { packIdOf } from '../format/names.ts';
import { deriveSecrets } from '../keys/key-schedule.ts';
import { openRepository } from '../open-repository.ts';
import type { Store } from '../ports/store.ts';
import { MemoryStore } from '../testing/memory-store.ts';
import type { RetainingStore } from '../testing/retaining-store.ts';
import { SMALL_PARAMETERS } from '../testing/test-vault.ts';
import type { PointSummary } from '../points/point-types.ts';
import type { Repository } from '../repository.ts';
import {
  backUp as backUpTo,
  createLockedVault,
  DAY,
  DISK,
  WINDOW,
  type LockedVault,
  type Run,
} from './testing/locked-vault.ts';

let vault: LockedVault;
let store: RetainingStore;
let repository: Repository;
let options: LockedVault['options'];

beforeEach(async () => {
  vault = await createLockedVault();
  ({ store, repository, options } = vault);
});

afterEach(() => vault[Symbol.asyncDispose]());

const names = (prefix: string): string[] => vault.names(prefix);
const backUp = (run: Run, to = repository): Promise<PointSummary> => backUpTo(to, run);
const lockedNames = (): string[] => [...store.locks.keys()].toSorted();

test('everything that a point needs is locked to the end of its window before the point is there', async () => {
  await beginKeyGeneration({ ...options, store });
  const { pointId, lockedUntil } = await backUp({ retainUntil: WINDOW + DAY });
  expect(lockedUntil).toBe(WINDOW + 10 * DAY);
  const needed = [...names('data/'), ...names('meta/'), 'repo.0', 'repo.1'];
  expect(lockedNames()).toEqual([...needed, `points/${pointId}`].toSorted());
  expect(new Set(store.locks.values())).toEqual(new Set([lockedUntil]));
  const commit = store.calls.indexOf(`put points/${pointId}`);
  needed.forEach((name) => expect(store.calls.slice(0, commit)).toContain(`lock ${name}`));
  for (const name of needed) {
    await expect(store.delete(name)).rejects.toMatchObject({ code: 'VAULT_RETAINED' });
  }
});

test('where a session says the date, packs are locked from the moment that they are there', async () => {
  const unlocked: string[] = [];
  const put = store.putIfAbsent.bind(store);
  store.putIfAbsent = async (...[name, parts, how]: Parameters<Store['putIfAbsent']>) => {
    const isPack = /^(data|meta)\//.test(name);
    if (isPack !== (how?.retainUntil === WINDOW)) {
      unlocked.push(name);
    }
    return put(name, parts, how);
  };
  const { pointId, lockedUntil } = await backUp({ known: WINDOW - 2 * DAY, retainUntil: WINDOW - DAY });
  expect(lockedUntil).toBe(WINDOW);
  const isPoint = (name: string): boolean => name === `points/${pointId}`;
  expect(unlocked.filter((name) => !isPoint(name))).toEqual([]);
  expect(names('data/').length + names('meta/').length).toBeGreaterThan(2);

  // The commit decides, and extends.
  store.putIfAbsent = put;
  store.calls.length = 0;
  const other = new Uint8Array(randomBytes(100 * KIB));
  await backUp({ known: WINDOW, retainUntil: WINDOW + DAY, disk: other });
  const stored = store.calls.filter((call) => /^put (data|meta)/.test(call)).map((call) => call.slice(4));
  expect(stored.map((name) => store.locks.get(name))).toEqual(stored.map(() => WINDOW + 10 * DAY));
});

test('a date that a session says means nothing to a store that can not lock', async () => {
  const ids = { ...options, store: new MemoryStore() };
  await createRepository({ ...ids, parameters: SMALL_PARAMETERS });
  await using ordinary = await openRepository(ids);
  const summary = await backUp({ known: WINDOW, retainUntil: WINDOW }, ordinary);
  expect(summary.lockedUntil).toBe(undefined);
});

test('what is inherited is extended once a window, not with every point', async () => {
  const first = await backUp({ retainUntil: WINDOW + DAY });
  const before = [...names('data/'), ...names('meta/')];
  const disk = DISK.slice();
  disk.set(randomBytes(20 * KIB));
  store.calls.length = 0;
  const second = await backUp({ retainUntil: WINDOW + 2 * DAY, base: first.pointId, disk });
  const added = [...names('data/'), ...names('meta/')].filter((name) => !before.includes(name));
  expect(added.length).toBeGreaterThan(1);
  added.forEach((name) => expect(store.calls).toContain(`lock ${name}`));
  before.forEach((name) => expect(store.calls).not.toContain(`lock ${name}`));

  disk.set(randomBytes(20 * KIB));
  const third = await backUp({ retainUntil: WINDOW + 11 * DAY, base: second.pointId, disk });
  expect(third.lockedUntil).toBe(WINDOW + 20 * DAY);
  // What the second stored was replaced since: the third does not need it.
  const needed = [...names('data/').filter((name) => !added.includes(name)), ...names('meta/')];
  expect(needed.filter((name) => (store.locks.get(name) ?? 0) < WINDOW + 20 * DAY)).toEqual([]);
});

test('chunks that another disk stored first are locked with the point that needs them', async () => {
  await backUp({});
  expect(store.locks.size).toBe(0);
  await backUp({ retainUntil: WINDOW });
  names('data/').forEach((name) => expect(store.locks.get(name)).toBe(WINDOW));
});

test('where a lock is refused there is no point', async () => {
  await backUp({});
  store.refused.add(names('data/')[0] ?? '');
  await expect(backUp({ retainUntil: WINDOW })).rejects.toMatchObject({ code: 'VAULT_ACCESS_DENIED' });
  expect(names('points/')).toHaveLength(1);
});

test('a pack that is gone can not be promised', async () => {
  const first = await backUp({});
  const disk = DISK.slice();
  disk.set(randomBytes(20 * KIB));
  store.objects.delete(names('data/').at(-1) ?? '');
  await expect(backUp({ retainUntil: WINDOW, base: first.pointId, disk })).rejects.toMatchObject({
    code: 'VAULT_OBJECT_MISSING',
  });
});

test('what somebody else has condemned meanwhile is locked where it is now', async () => {
  await backUp({});
  const old = names('data/');
  const { keyRing, tenantId, repositoryId, clock } = options;
  const keys = await keyRing.getRepositoryKeys({ tenantId, repositoryId, generation: 0 });
  const secrets = deriveSecrets(keys, uuidToObjectId(repositoryId, 'repository'), 0);
  const lockUntil = store.retention.lockUntil.bind(store.retention);
  store.retention.lockUntil = async (...lock) => {
    store.retention.lockUntil = lockUntil;
    const ids = old.map((name) => packIdOf('data', name) ?? '');
    await new CondemnedLog(store, secrets, clock).append('unused', ids);
    await using other = await openRepository({ ...options, store });
    await backUp({}, other);
    await lockUntil(...lock);
  };
  await backUp({ retainUntil: WINDOW });
  const places = names('data/').filter((name) => !old.includes(name));
  expect(places.length).toBeGreaterThan(0);
  expect(places.map((name) => store.locks.get(name))).toEqual(places.map(() => WINDOW));
});

test('a point that is kept longer is locked longer, with all that it needs', async () => {
  const { pointId } = await backUp({ retainUntil: WINDOW });
  await repository.extendRetention(pointId, WINDOW + 5 * DAY);
  expect(new Set(store.locks.values())).toEqual(new Set([WINDOW + 10 * DAY]));
  expect(lockedNames()).toContain(`points/${pointId}`);
});

test('a store that can not lock promises nothing, and holds no vault that is to be immutable', async () => {
  const plain = new MemoryStore();
  const ids = { ...options, store: plain };
  const creating = createRepository({ ...ids, parameters: SMALL_PARAMETERS, immutable: true });
  await expect(creating).rejects.toMatchObject({ code: 'VAULT_NOT_IMMUTABLE' });
  expect(plain.objects.size).toBe(0);
  await createRepository({ ...ids, parameters: SMALL_PARAMETERS });
  await using ordinary = await openRepository(ids);
  const summary = await backUp({ retainUntil: WINDOW }, ordinary);
  expect(summary.retainUntil).toBe(WINDOW);
  expect(summary.lockedUntil).toBe(undefined);
});

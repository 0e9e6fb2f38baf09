import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { systemClock } from '../../kernel/clock.ts';
import { beginKeyGeneration } from '../begin-key-generation.ts';
import { createRepository } from '../create-repository.ts';
import { FileKeyRing } from '../keys/file-key-ring.ts';
import { openRepository } from '../open-repository.ts';
import type { Store } from '../ports/store.ts';
import { MemoryLeases } from '../sessions/memory-leases.ts';
import { MemoryStore } from '../testing/memory-store.ts';
import { RetainingStore } from '../testing/retaining-store.ts';
import { MemoryDisk, SMALL_PARAMETERS } from '../testing/test-vault.ts';
import type { OpenRepositoryOptions, PointSummary, Repository } from '../types.ts';
import { endOfWindow } from './retention-window.ts';

const DAY = 86_400_000;
/** The first day of a window, some years from now. */
const WINDOW = endOfWindow(1_900_000_000_000);
const data = new Uint8Array(randomBytes(400 * KIB));

let folder: string;
let store: RetainingStore;
let options: Omit<OpenRepositoryOptions, 'store'>;
let repository: Repository;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-retention-'));
  store = new RetainingStore();
  const ids = { tenantId: randomUUID(), repositoryId: randomUUID() };
  const ports = { keyRing: new FileKeyRing(folder), clock: systemClock, leases: new MemoryLeases(systemClock) };
  options = { ...ids, ...ports, workers: 1 };
  await createRepository({ ...options, store, parameters: SMALL_PARAMETERS, immutable: true });
  repository = await openRepository({ ...options, store });
});

afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

interface Run {
  readonly retainUntil?: number;
  /** What the session says at its beginning. */
  readonly known?: number;
  readonly base?: string;
  readonly disk?: Uint8Array;
}

async function backUp({ retainUntil, known, base, disk = data }: Run, to = repository): Promise<PointSummary> {
  const [sessionId, pointId] = [randomUUID(), randomUUID()];
  const pins = base === undefined ? [] : [base];
  const hint = known === undefined ? {} : { retainUntil: known };
  await to.beginSession({ sessionId, pointId, purpose: 'backup', pins, ...hint });
  const written = await to.writeDisk({
    sessionId,
    diskKey: 'xvda',
    sizeBytes: disk.length,
    source: new MemoryDisk(disk),
    sampleBytes: 0,
    ...(base === undefined
      ? {}
      : { base: { pointId: base, diskKey: 'xvda' }, changed: [{ offset: 0, length: 20 * KIB }] }),
  });
  const summary = await to.commitPoint({
    sessionId,
    pointId,
    vmId: 'vm',
    takenAt: 1,
    disks: [written],
    config: new Uint8Array(0),
    info: {},
    ...(retainUntil === undefined ? {} : { retainUntil }),
  });
  await to.endSession(sessionId);
  return summary;
}

const names = (prefix: string): string[] => [...store.objects.keys()].filter((name) => name.startsWith(prefix));
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
  const disk = data.slice();
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
  const needed = [...names('data/'), ...names('meta/')];
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
  const disk = data.slice();
  disk.set(randomBytes(20 * KIB));
  store.objects.delete(names('data/').at(-1) ?? '');
  await expect(backUp({ retainUntil: WINDOW, base: first.pointId, disk })).rejects.toMatchObject({
    code: 'VAULT_OBJECT_MISSING',
  });
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

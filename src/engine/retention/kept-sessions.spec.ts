import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { LEASE_TIMEOUT_MS } from '../ports/leases.ts';
import { isKeptOnly } from '../sessions/kept-session.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { restore, sameBytes } from '../testing/test-vault.ts';
import { backUp, createLockedVault, DAY, DISK, WINDOW, type LockedVault } from './testing/locked-vault.ts';

/*
 * A bucket may lock whatever is put into it, and whoever may write may lock: also what is meant to be there for a moment.
 */

const YEARS = 10 * 365 * DAY;

let clock: ManualClock;
let vault: LockedVault;
let kept: string;
let gone: string;

beforeEach(async () => {
  clock = new ManualClock();
  clock.advance(WINDOW - clock.now());
  vault = await createLockedVault(clock);
  kept = (await backUp(vault.repository, {})).pointId;
  gone = (await backUp(vault.repository, { disk: new Uint8Array(randomBytes(100 * KIB)) })).pointId;
});

afterEach(() => vault[Symbol.asyncDispose]());

function lock(names: RegExp): void {
  const { store } = vault;
  [...store.objects.keys()]
    .filter((name) => names.test(name))
    .forEach((name) => store.locks.set(name, clock.now() + YEARS));
}

async function begin(purpose: 'backup' | 'restore', pins: readonly string[] = []): Promise<string> {
  const sessionId = randomUUID();
  await vault.repository.beginSession({ sessionId, pointId: randomUUID(), purpose, pins });
  lock(/^sessions/);
  return sessionId;
}

/** Collects until what was condemned had the time to go. */
async function collectAll(): Promise<void> {
  for (let rounds = 0; rounds < 3; rounds += 1) {
    await vault.repository.collect({ graceMs: 0 });
    clock.advance(LEASE_TIMEOUT_MS + 1);
  }
}

const SESSIONS: Readonly<Record<string, () => Promise<void> | void>> = {
  'a writer that died': async () => void (await begin('backup', [gone])),
  'a writer that ended': async () => vault.repository.endSession(await begin('backup', [kept])),
  'a reader that died': async () => void (await begin('restore', [gone])),
  'a reader that ended': async () => vault.repository.endSession(await begin('restore', [gone])),
  'nobody, forged': () => {
    vault.store.objects.set(`sessions/${randomUUID()}`, new Uint8Array(300));
    lock(/^sessions/);
  },
};

test.each(Object.entries(SESSIONS))('the session of %s, which the store keeps, keeps no space', async (_, leave) => {
  await leave();
  const before = vault.names('data/').length;
  await vault.repository.deletePoint(gone);
  await collectAll();
  expect(vault.names('points/')).toContain(`points/${kept}`);
  expect(vault.names('points/')).not.toContain(`points/${gone}`);
  expect(vault.names('data/').length).toBeLessThan(before);
  expect(vault.names('sessions/')).toHaveLength(1);
  expect(sameBytes(await restore(vault.repository, kept, 'xvda'), DISK)).toBe(true);
});

test('a session that is locked and alive is waited for, and what it pins stays', async () => {
  const sessionId = await begin('restore', [gone]);
  const writer = await begin('backup');
  await vault.repository.deletePoint(gone);
  const { leases, repositoryId } = vault.options;
  const packs = vault.names('data/');
  for (let rounds = 0; rounds < 3; rounds += 1) {
    await leases.beat({ repositoryId, sessionId });
    await leases.beat({ repositoryId, sessionId: writer });
    await vault.repository.collect({ graceMs: 0 });
    clock.advance(LEASE_TIMEOUT_MS - 1);
  }
  expect(vault.names('data/')).toEqual(packs);
  expect(vault.names('points/')).toContain(`points/${gone}`);
});

test('a writer that is kept and seems dead is waited for until its point is decided: it may be slow', async () => {
  const [sessionId, pointId] = [randomUUID(), randomUUID()];
  await vault.repository.beginSession({ sessionId, pointId, purpose: 'backup', pins: [] });
  lock(/^sessions/);
  clock.advance(LEASE_TIMEOUT_MS + 1);
  const session = { sessionId, pointId, purpose: 'backup' as const, pins: [], startedAt: 0, epoch: 0 };
  const context = { ...vault.options, store: vault.store, clock };
  expect(await isKeptOnly(context, sessionId, session)).toBe(false);
  await vault.repository.fence(pointId);
  expect(await isKeptOnly(context, sessionId, session)).toBe(true);
});

test('in a bucket that locks whatever is put, backups end and collections go on', async () => {
  const { store, repository } = vault;
  const put = store.putIfAbsent.bind(store);
  store.putIfAbsent = async (...[name, parts, options]: Parameters<typeof put>) =>
    put(name, parts, { retainUntil: clock.now() + 30 * DAY, ...options });
  const { pointId } = await backUp(repository, { disk: new Uint8Array(randomBytes(50 * KIB)) });
  await repository.fence(randomUUID());
  await repository.deletePoint(pointId);
  await collectAll();
  const packs = vault.names('data/').length;
  // Tombstones are old by now, and one is locked for longer.
  await repository.fence(randomUUID());
  lock(/^points/);
  clock.advance(31 * DAY);
  await collectAll();
  expect(vault.names('data/').length).toBeLessThan(packs);
  expect(sameBytes(await restore(repository, kept, 'xvda'), DISK)).toBe(true);
});

test('something forged of the length of a tombstone, locked, can be deleted and stops nobody', async () => {
  const { repository, store } = vault;
  await repository.fence(randomUUID());
  const [tombstone = ''] = vault.names('points/').filter((name) => !name.endsWith(kept) && !name.endsWith(gone));
  const forged = randomUUID();
  store.objects.set(`points/${forged}`, new Uint8Array(store.objects.get(tombstone)?.length ?? 0));
  lock(/^points/);
  await repository.deletePoint(forged);
  await repository.deletePoint(gone);
  const before = vault.names('data/').length;
  await collectAll();
  expect(vault.names('data/').length).toBeLessThan(before);
});

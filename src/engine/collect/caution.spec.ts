import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { uuidToObjectId } from '../format/ids.ts';
import { deriveSecrets } from '../keys/key-schedule.ts';
import { raiseEpoch } from '../sessions/epoch.ts';
import { alterStore } from '../testing/alter-store.ts';
import { restore, sameBytes } from '../testing/test-vault.ts';
import type { SessionRequest } from '../sessions/session-types.ts';
import { createCollectVault, noise, type CollectVault } from './testing/collect-vault.ts';

// Lanes without threads: nothing here is about them, and threads take their time to start.
vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'));

/*
 * What collection does in case others are late, slow, or wrong about the time.
 */

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let at: CollectVault;

beforeEach(async () => {
  at = await createCollectVault();
});

afterEach(() => at[Symbol.asyncDispose]());

async function begin(purpose: SessionRequest['purpose'], pins: readonly string[] = []): Promise<SessionRequest> {
  const session = { sessionId: randomUUID(), pointId: randomUUID(), purpose, pins };
  await at.repository.beginSession(session);
  return session;
}

async function beat({ sessionId }: SessionRequest): Promise<void> {
  await at.leases.beat({ sessionId, repositoryId: at.vault.repositoryId });
}

/** As after a recovery of the vault. */
async function recover(): Promise<void> {
  const { keyRing, tenantId, repositoryId, store } = at.vault;
  const keys = await keyRing.getRepositoryKeys({ tenantId, repositoryId, generation: 0 });
  await raiseEpoch(store, deriveSecrets(keys, uuidToObjectId(repositoryId, 'repository'), 0));
}

test('each pack of copies is announced before it is put: no other collector takes it for waste', async () => {
  const shared = Array.from({ length: 8 }, () => noise(48 * KIB));
  const mixed = (): Uint8Array => new Uint8Array(Buffer.concat(shared.flatMap((each) => [noise(48 * KIB), each])));
  const gone = await at.store(mixed());
  await at.store(mixed());
  await at.repository.deletePoint(gone);
  const { store } = at.vault;
  const puts: string[] = [];
  const recording = alterStore(store, {
    putIfAbsent: (name, ...put) => {
      puts.push(/^sessions\/[^.]+\./.test(name) ? 'announced' : (name.split('/')[0] ?? ''));
      return store.putIfAbsent(name, ...put);
    },
  });
  await using repository = await at.open({ store: recording });
  expect((await repository.collect({ graceMs: 0, minLiveShare: 1 })).copied.frames).toBeGreaterThan(0);
  const packs = puts.filter((put) => put === 'data');
  expect(packs.length).toBeGreaterThan(1);
  const inTurn = packs.flatMap((pack) => ['announced', pack]);
  expect(puts.filter((put) => put === 'data' || put === 'announced')).toEqual(inTurn);
});

test('a session from before the vault was recovered goes, though it is alive', async () => {
  const { pointId } = await begin('backup');
  await recover();
  expect((await at.repository.collect()).deleted.sessions).toBe(1);
  expect(at.named('points/')).toEqual([`points/${pointId}`]);
});

test('a writer that has been at it for too long goes, though it is alive; a reader does not', async () => {
  const writer = await begin('backup');
  const reader = await begin('restore');
  at.clock.advance(8 * DAY);
  await Promise.all([writer, reader].map(beat));
  expect((await at.repository.collect()).deleted.sessions).toBe(1);
  expect(at.named('points/')).toEqual([`points/${writer.pointId}`]);
  expect(at.named('sessions/')).toEqual([`sessions/${reader.sessionId}`]);
});

test('sessions are listed two minutes after packs were condemned: until then some may not be seen yet', async () => {
  await at.repository.deletePoint(await at.store(noise(100 * KIB)));
  await at.repository.collect();
  at.clock.advance(2 * MINUTE - 1);
  await at.repository.collect();
  expect(at.named('condemned/')).toEqual(['condemned/1']);
  at.clock.advance(1);
  await at.repository.collect();
  expect(at.named('condemned/')).toEqual(['condemned/1', 'condemned/1.waits']);
});

test('a collection during which the vault is recovered condemns nothing more', async () => {
  await at.repository.deletePoint(await at.store(noise(100 * KIB)));
  const { store } = at.vault;
  let sweeps = false;
  const recovered = alterStore(store, {
    list: async function* recovering(prefix) {
      // Decisions are looked at for the last time: nothing is left to be deleted.
      if (sweeps && prefix === 'condemned/') {
        await recover();
      }
      sweeps ||= prefix === 'index/';
      yield* store.list(prefix);
    },
  });
  await using repository = await at.open({ store: recovered });
  sweeps = false;
  await expect(repository.collect({ graceMs: 0 })).rejects.toMatchObject({ code: 'SESSION_FENCED' });
  expect(at.named('condemned/')).toEqual([]);
});

test('a decision about manifests counts for as long as they are there', async () => {
  const data = noise(100 * KIB);
  const gone = await at.store(data);
  const kept = await at.store(data);
  const reader = await begin('restore');
  await at.repository.deletePoint(gone);
  await at.repository.collect();
  expect(at.named('condemned/')).toEqual(['condemned/1']);
  at.clock.advance(40 * DAY);
  await beat(reader);
  await at.repository.deletePoint(await at.store(noise(100 * KIB)));
  await at.repository.collect();
  expect(at.named('condemned/')).toContain('condemned/2');
  await at.repository.endSession(reader.sessionId);
  expect((await at.repository.collect()).deleted.metaPacks).toBe(1);
  expect(sameBytes(await restore(at.repository, kept, 'xvda'), data)).toBe(true);
});

test('a tombstone stays for as long as a session announces its point', async () => {
  const session = await begin('restore');
  await at.repository.fence(session.pointId);
  at.clock.advance(40 * DAY);
  await beat(session);
  await at.repository.collect();
  expect(at.named('points/')).toEqual([`points/${session.pointId}`]);
  await at.repository.endSession(session.sessionId);
  await at.repository.collect();
  expect(at.named('points/')).toEqual([]);
});

test('what lay in packs that are gone is lost, though their tables are still known', async () => {
  const data = noise(300 * KIB);
  await at.store(data);
  const first = at.named('data/');
  // Without an index nothing is found again.
  at.named('index/').forEach((name) => at.vault.objects.delete(name));
  await using other = await at.open();
  const twin = await at.store(data, other);
  await at.repository.repair({ index: 'all' });
  expect(at.named('data/').length).toBe(2 * first.length);
  await restore(at.repository, twin, 'xvda');
  await at.repository.deletePoint(twin);
  at.named('data/').forEach((name) => at.vault.objects.delete(name));
  expect((await at.repository.collect()).lostChunks).toBeGreaterThan(0);
});

import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { KIB } from '../kernel/bytes.ts';
import { isAppError } from '../kernel/errors.ts';
import { FailingStore, type Failure } from './testing/failing-store.ts';
import {
  backup,
  createTestVault,
  MemoryDisk,
  restore,
  sameBytes,
  SMALL_PARAMETERS,
  type BackupRequest,
  type TestVault,
} from './testing/test-vault.ts';
import type { Repository } from './repository.ts';

const before = new Uint8Array(randomBytes(400 * KIB));
const changed = [
  { offset: 64 * KIB, length: 64 * KIB },
  { offset: 300 * KIB, length: 90 * KIB },
];
const after = changed.reduce((data, { offset, length }) => {
  data.set(randomBytes(length), offset);
  return data;
}, before.slice());
const second = new Uint8Array(randomBytes(200 * KIB));

let vault: TestVault;
let firstPoint: string;
let clean: Map<string, Uint8Array>;

beforeAll(async () => {
  vault = await createTestVault();
  await using repository = await vault.open();
  const { summary } = await backup(repository, {
    disks: { xvda: new MemoryDisk(before), xvdb: new MemoryDisk(second) },
  });
  firstPoint = summary.pointId;
  clean = new Map(vault.objects);
});

afterAll(async () => {
  await vault[Symbol.asyncDispose]();
});

function reset(): void {
  vault.objects.clear();
  clean.forEach((data, name) => vault.objects.set(name, data));
}

function secondBackup(ids: { sessionId: string; pointId: string }): BackupRequest {
  const disks = { xvda: new MemoryDisk(after), xvdb: new MemoryDisk(second) };
  return { ...ids, disks, base: { pointId: firstPoint, changed } };
}

/** Everything that is listed must be whole. Returns how many points there are. */
async function checkListed(repository: Repository, pointId: string): Promise<number> {
  let listed = 0;
  for await (const point of repository.listPoints()) {
    const expected = point.pointId === pointId ? after : before;
    expect(sameBytes(await restore(repository, point.pointId, 'xvda'), expected)).toBe(true);
    expect(sameBytes(await restore(repository, point.pointId, 'xvdb'), second)).toBe(true);
    listed += 1;
  }
  return listed;
}

async function countChanges(): Promise<number> {
  reset();
  const store = new FailingStore(vault.store, Infinity, 'before');
  await using repository = await vault.open(() => store, 1);
  await backup(repository, secondBackup({ sessionId: randomUUID(), pointId: randomUUID() }));
  return store.changes;
}

test('a writer that dies at any change of the store harms nothing, and its retry succeeds', async () => {
  const changes = await countChanges();
  expect(changes).toBeGreaterThan(8);
  await using survivor = await vault.open();
  // Dying after the n-th change leaves what dying before the next would leave.
  const deaths: [number, Failure][] = [[1, 'before']];
  for (let failAt = 1; failAt <= changes; failAt += 1) {
    deaths.push([failAt, 'after']);
  }
  for (const [failAt, failure] of deaths) {
    reset();
    const ids = { sessionId: randomUUID(), pointId: randomUUID() };
    await using doomed = await vault.open((store) => new FailingStore(store, failAt, failure), 1);
    await expect(backup(doomed, secondBackup(ids))).rejects.toSatisfy((error) =>
      isAppError(error, 'VAULT_UNREACHABLE'),
    );
    const hadCommitted = (await checkListed(survivor, ids.pointId)) === 2;
    expect(hadCommitted).toBe(vault.objects.has(`points/${ids.pointId}`));

    await using retry = await vault.open(undefined, 1);
    const { summary } = await backup(retry, secondBackup(ids));
    expect(summary.pointId).toBe(ids.pointId);
    expect(await checkListed(retry, ids.pointId)).toBe(2);
    const left = [...vault.objects.keys()].filter((name) => name.startsWith('sessions/'));
    expect(left).toEqual([]);
  }
});

test('a resumed disk reads again only what was in flight, and stores no chunk twice', async () => {
  const { packBytes, maxChunkBytes, segmentBytes } = SMALL_PARAMETERS;
  const data = new Uint8Array(randomBytes(8 * segmentBytes));
  for (let failAt = 2; failAt < 20; failAt += 3) {
    reset();
    const known = vault.objects.size;
    const ids = { sessionId: randomUUID(), pointId: randomUUID() };
    {
      await using doomed = await vault.open((store) => new FailingStore(store, failAt, 'after'), 1);
      await expect(backup(doomed, { ...ids, disks: { xvda: new MemoryDisk(data) } })).rejects.toThrow(
        'The store is gone.',
      );
    }
    const packs = [...vault.objects.keys()].slice(known).filter((name) => name.startsWith('data/'));
    const wholeSegments = Math.floor((packs.length * (packBytes - maxChunkBytes - 4 * KIB)) / segmentBytes);
    const disk = new MemoryDisk(data);
    await using retry = await vault.open(undefined, 1);
    const { summary, disks } = await backup(retry, { ...ids, disks: { xvda: disk } });

    expect(disk.bytesRead).toBeLessThanOrEqual(data.length - wholeSegments * segmentBytes);
    expect(disks[0]?.resumed).toBe(wholeSegments > 0 || disk.bytesRead < data.length);
    packs.forEach((name) => expect(vault.objects.has(name)).toBe(true));
    const stored = [...vault.objects].slice(known).filter(([name]) => name.startsWith('data/'));
    const storedBytes = stored.reduce((sum, [, bytes]) => sum + bytes.length, 0);
    expect(storedBytes).toBeLessThan(data.length * 1.05);
    expect(sameBytes(await restore(retry, summary.pointId, 'xvda'), data)).toBe(true);
  }
});

test('who finds a point deleted by a process that died makes that durable before saying so', async () => {
  reset();
  {
    await using doomed = await vault.open(undefined, 1);
    await doomed.deletePoint(firstPoint);
  }
  await using next = await vault.open(undefined, 1);
  const flush = vi.spyOn(vault.store, 'flush');
  await next.deletePoint(firstPoint);
  expect(flush).toHaveBeenCalledOnce();
  flush.mockRestore();
});

import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import type { ChunkingParameters } from '../repository-options.ts';
import type { Repository } from '../repository.ts';
import { FailingStore, type Failure } from '../testing/failing-store.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes, type TestVault } from '../testing/test-vault.ts';
import type { Store } from '../ports/store.ts';
import type { CopyBase, CopyPointRequest, CopyResult } from './copy-types.ts';
import { findUncopied, planCopy } from './find-copies.ts';
import { findCopyBase } from './provenance.ts';

/** Nothing about it is as in the vault that is copied from. */
const OTHER_PARAMETERS: ChunkingParameters = {
  blockBytes: 4 * KIB,
  minChunkBytes: 4 * KIB,
  averageChunkBytes: 12 * KIB,
  maxChunkBytes: 32 * KIB,
  segmentBytes: 96 * KIB,
  packBytes: 100 * KIB,
};

const SIZE = 600 * KIB + 1234;
const first = new Uint8Array(randomBytes(SIZE));
first.fill(0, 100 * KIB, 300 * KIB);
const changed = [{ offset: 400 * KIB, length: 24 * KIB }];
const second = first.slice();
second.set(randomBytes(24 * KIB), 400 * KIB);

let here: TestVault;
let there: TestVault;
let from: Repository;
let to: Repository;

beforeEach(async () => {
  here = await createTestVault();
  there = await createTestVault(OTHER_PARAMETERS);
  from = await here.open();
  to = await there.open();
});

afterEach(async () => {
  await Promise.all([from, to, here, there].map((opened) => opened[Symbol.asyncDispose]()));
});

function ids(pointId: string, base?: CopyBase): Omit<CopyPointRequest, 'to'> {
  return { pointId, copyId: randomUUID(), sessionId: randomUUID(), ...(base === undefined ? {} : { base }) };
}

async function backUpBoth(): Promise<[string, string]> {
  const full = await backup(from, { disks: { xvda: new MemoryDisk(first) } });
  const { pointId } = full.summary;
  const next = await backup(from, { disks: { xvda: new MemoryDisk(second) }, base: { pointId, changed } });
  return [pointId, next.summary.pointId];
}

function namesIn(vault: TestVault, prefix: string): string[] {
  return [...vault.objects.keys()].filter((name) => name.startsWith(prefix));
}

test('a copy in a vault of other keys and parameters is the same machine, and says where it is from', async () => {
  const [pointId] = await backUpBoth();
  const request = ids(pointId);
  const { summary, bytesRead } = await from.copyPoint({ ...request, to, retainUntil: 1_900_000_000_000 });

  const original = await from.readPoint(pointId);
  const copy = await to.readPoint(request.copyId);
  expect(sameBytes(await restore(to, request.copyId, 'xvda'), first)).toBe(true);
  expect(bytesRead).toBe(SIZE);
  expect(copy.config).toEqual(original.config);
  const { vmId, takenAt, committedAt, info } = original.summary;
  const copiedFrom = { repositoryId: here.repositoryId, pointId, committedAt };
  expect(copy.summary).toMatchObject({ vmId, takenAt, retainUntil: 1_900_000_000_000 });
  expect(copy.summary.info).toEqual({ ...info, copiedFrom });
  expect(summary).toEqual(copy.summary);
  expect([...namesIn(here, 'sessions/'), ...namesIn(there, 'sessions/')]).toEqual([]);
  expect(namesIn(here, 'points/')).toHaveLength(2);
});

test('holes are holes there too', async () => {
  const [pointId] = await backUpBoth();
  const request = ids(pointId);
  await from.copyPoint({ ...request, to });
  let holeBytes = 0;
  for await (const { length, data } of to.readDisk({ pointId: request.copyId, diskKey: 'xvda' })) {
    holeBytes += data === null ? length : 0;
  }
  expect(holeBytes).toBe(200 * KIB);
});

test('after a copy of its base, a point costs what changed', async () => {
  const [pointId, next] = await backUpBoth();
  const request = ids(pointId);
  await from.copyPoint({ ...request, to });
  const base = await findCopyBase(from, to, next);
  expect(base).toEqual({ pointId, copyId: request.copyId });

  const incremental = { ...ids(next, base ?? undefined), to, sampleBytes: 0 };
  const { bytesStoredNew, bytesRead } = await from.copyPoint(incremental);
  expect(sameBytes(await restore(to, incremental.copyId, 'xvda'), second)).toBe(true);
  expect(bytesStoredNew).toBeLessThan(120 * KIB);
  expect(bytesRead).toBeLessThan(150 * KIB);
});

test('what the other side has from elsewhere is not stored again', async () => {
  const [pointId] = await backUpBoth();
  const copy = await from.copyPoint({ ...ids(pointId), to });
  const again = await from.copyPoint({ ...ids(pointId), to });
  expect(copy.bytesStoredNew).toBeGreaterThan(SIZE - 210 * KIB);
  expect(again.bytesStoredNew).toBeLessThan(8 * KIB);
});

test('disks that grew and shrank on the way are copied as they are', async () => {
  const sizes = [300 * KIB, 180 * KIB + 77, 420 * KIB];
  let base: CopyBase | undefined;
  let disk: Uint8Array = new Uint8Array(randomBytes(sizes[0] ?? 0));
  let previous: string | undefined;
  for (const size of sizes) {
    const after = new Uint8Array(size);
    after.set(disk.subarray(0, size));
    disk = after;
    const request = previous === undefined ? {} : { base: { pointId: previous, changed: [] } };
    const { summary } = await backup(from, { disks: { xvda: new MemoryDisk(disk) }, ...request });
    previous = summary.pointId;
    const copy = ids(previous, base);
    await from.copyPoint({ ...copy, to });
    expect(sameBytes(await restore(to, copy.copyId, 'xvda'), disk)).toBe(true);
    base = { pointId: previous, copyId: copy.copyId };
  }
});

test('a base that is another’s copy is refused', async () => {
  const [pointId, next] = await backUpBoth();
  const request = ids(next);
  await from.copyPoint({ ...request, to });
  const wrong = from.copyPoint({ ...ids(next, { pointId, copyId: request.copyId }), to });
  await expect(wrong).rejects.toMatchObject({ code: 'BAD_INPUT' });
  await expect(from.copyPoint({ ...ids(next), to: from })).rejects.toMatchObject({ code: 'BAD_INPUT' });
});

test('what lies at the name of a copy, and another session or repository put there, is not taken for it', async () => {
  const [pointId] = await backUpBoth();
  const done = ids(pointId);
  await from.copyPoint({ ...done, to });
  const refused = { code: 'VAULT_OBJECT_EXISTS' };
  await expect(from.copyPoint({ ...done, sessionId: randomUUID(), to })).rejects.toMatchObject(refused);

  const { copyId, sessionId, ...rest } = ids(pointId);
  await to.beginSession({ sessionId, pointId: copyId, purpose: 'backup', pins: [] });
  const source = new MemoryDisk(first);
  const disk = await to.writeDisk({ sessionId, diskKey: 'xvda', sizeBytes: SIZE, source });
  const info = { copiedFrom: { repositoryId: randomUUID(), pointId, committedAt: 1 } };
  const about = { vmId: 'vm-1', takenAt: 1, config: new Uint8Array(0), info };
  await to.commitPoint({ sessionId, pointId: copyId, disks: [disk], ...about });
  await expect(from.copyPoint({ ...rest, copyId, sessionId, to })).rejects.toMatchObject(refused);
});

test('the source is pinned while it is copied', async () => {
  const [pointId] = await backUpBoth();
  const pins: (readonly string[])[] = [];
  const look = async (): Promise<void> => {
    for await (const session of from.listSessions()) {
      pins.push(session.pins);
    }
  };
  const looks: Promise<void>[] = [];
  await from.copyPoint({ ...ids(pointId), to, onProgress: () => void looks.push(look()) });
  await Promise.all(looks);
  expect(pins).toContainEqual([pointId]);
});

test('what was not copied yet is found, and an interrupted copy by its sessions', async () => {
  const [pointId, next] = await backUpBoth();
  await from.copyPoint({ ...(await planCopy(from, to, pointId, randomUUID)), to });
  expect((await findUncopied(from, to)).map((point) => point.pointId)).toEqual([next]);

  const plan = await planCopy(from, to, next, randomUUID);
  expect(plan).toMatchObject({ base: { pointId }, resumes: false });
  const controller = new AbortController();
  const interrupted = from.copyPoint({
    ...plan,
    to,
    signal: controller.signal,
    onProgress: () => controller.abort(),
  });
  await expect(interrupted).rejects.toMatchObject({ code: 'CANCELLED' });
  const again = await planCopy(from, to, next, randomUUID);
  expect(again).toEqual({ ...plan, resumes: true });
  await from.copyPoint({ ...again, to });
  expect(await findUncopied(from, to)).toEqual([]);
  expect(sameBytes(await restore(to, plan.copyId, 'xvda'), second)).toBe(true);
});

test('there and back again, and through a third, a backup has one restore point in each', async () => {
  await using third = await createTestVault();
  await using beyond = await third.open((same) => same, 1);
  const [pointId, next] = await backUpBoth();
  for (const point of [pointId, next]) {
    await from.copyPoint({ ...(await planCopy(from, to, point, randomUUID)), to });
  }
  expect(await findUncopied(to, from)).toEqual([]);
  for (const { pointId: copied } of await findUncopied(to, beyond)) {
    await to.copyPoint({ ...(await planCopy(to, beyond, copied, randomUUID)), to: beyond });
  }
  expect(await findUncopied(from, beyond)).toEqual([]);
  expect(await findUncopied(beyond, from)).toEqual([]);

  await from.deletePoint(pointId);
  const back = await findUncopied(beyond, from);
  expect(back.map(({ takenAt }) => takenAt)).toHaveLength(1);
  const { summary } = await beyond.copyPoint({ ...ids(back[0]?.pointId ?? ''), to: from });
  expect(sameBytes(await restore(from, summary.pointId, 'xvda'), first)).toBe(true);
  expect(await findUncopied(from, to)).toEqual([]);
});

test('a copy that dies at any change of either store is gone on with, and sends nothing twice', async () => {
  const data = first.slice(300 * KIB, 500 * KIB + 7);
  const { summary } = await backup(from, { disks: { xvda: new MemoryDisk(data) } });
  const sides: readonly ('here' | 'there')[] = ['here', 'there'];
  for (const side of sides) {
    let failAt = 1;
    for (let died = true; died; failAt += 2) {
      died = await dieOnce({ pointId: summary.pointId, data }, side, failAt, failAt % 4 === 1 ? 'after' : 'before');
    }
    expect(failAt).toBeGreaterThan(side === 'here' ? 2 : 8);
  }
});

async function dieOnce(
  { pointId, data }: { readonly pointId: string; readonly data: Uint8Array },
  side: 'here' | 'there',
  failAt: number,
  failure: Failure,
): Promise<boolean> {
  await using vault = await createTestVault(OTHER_PARAMETERS);
  const fail = (name: 'here' | 'there') =>
    name === side ? (store: Store) => new FailingStore(store, failAt, failure) : undefined;
  const request = ids(pointId);
  let died = false;
  {
    await using doomedFrom = await here.open(fail('here'), 1);
    await using doomedTo = await vault.open(fail('there'), 1);
    await doomedFrom.copyPoint({ ...request, to: doomedTo }).catch(() => {
      died = true;
    });
  }
  const packs = new Map(namesIn(vault, 'data/').map((name) => [name, vault.objects.get(name)]));
  await using retryTo = await vault.open(undefined, 1);
  const result: CopyResult = await from.copyPoint({ ...request, to: retryTo });
  expect(result.summary.pointId).toBe(request.copyId);
  expect(sameBytes(await restore(retryTo, request.copyId, 'xvda'), data)).toBe(true);
  packs.forEach((pack, name) => expect(vault.objects.get(name)).toBe(pack));
  const stored = namesIn(vault, 'data/').reduce((sum, name) => sum + (vault.objects.get(name)?.length ?? 0), 0);
  expect(stored).toBeLessThan(data.length * 1.05);
  expect([...namesIn(here, 'sessions/'), ...namesIn(vault, 'sessions/')]).toEqual([]);
  return died;
}

import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../kernel/bytes.ts';
import { deriveSecrets } from './keys/key-schedule.ts';
import { MAX_DELTAS } from './manifest/fold-plan.ts';
import type { Store } from './ports/store.ts';
import { raiseEpoch } from './sessions/epoch.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes, type TestVault } from './testing/test-vault.ts';
import type { DiskResult } from './write/write-types.ts';
import type { Repository } from './repository.ts';

const data = new Uint8Array(randomBytes(200 * KIB));
const config = new Uint8Array(randomBytes(100));

let vault: TestVault;
let repository: Repository;

beforeEach(async () => {
  vault = await createTestVault();
  repository = await vault.open();
});

afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  await vault[Symbol.asyncDispose]();
});

async function writeUncommitted(): Promise<{ sessionId: string; pointId: string; disks: readonly DiskResult[] }> {
  const sessionId = randomUUID();
  const pointId = randomUUID();
  await repository.beginSession({ sessionId, pointId, purpose: 'backup', pins: [] });
  const source = new MemoryDisk(data);
  const disk = await repository.writeDisk({ sessionId, diskKey: 'xvda', sizeBytes: data.length, source });
  return { sessionId, pointId, disks: [disk] };
}

function commitRequest(written: {
  sessionId: string;
  pointId: string;
  disks: readonly DiskResult[];
}): Parameters<Repository['commitPoint']>[0] {
  return { ...written, vmId: 'vm-1', takenAt: 5, config, info: { method: 'full' } };
}

async function pointIds(): Promise<string[]> {
  const ids: string[] = [];
  for await (const { pointId } of repository.listPoints()) {
    ids.push(pointId);
  }
  return ids;
}

test('a point holds what it was committed with, and committing again is the same', async () => {
  const written = await writeUncommitted();
  expect(await pointIds()).toEqual([]);
  const summary = await repository.commitPoint(commitRequest(written));
  expect(await repository.commitPoint(commitRequest(written))).toEqual(summary);
  await repository.endSession(written.sessionId);
  expect(await repository.commitPoint(commitRequest(written))).toEqual(summary);
  const point = await repository.readPoint(written.pointId);
  expect(point.summary).toEqual({ ...summary, info: { method: 'full' }, takenAt: 5, vmId: 'vm-1' });
  expect(sameBytes(point.config, config)).toBe(true);
  expect(await pointIds()).toEqual([written.pointId]);
});

test('a writer that was fenced finds the tombstone, whatever it was doing', async () => {
  const written = await writeUncommitted();
  expect(await repository.fence(written.pointId)).toBe('fenced');
  expect(await repository.fence(written.pointId)).toBe('fenced');
  const { sessionId, pointId } = written;
  const fenced = { code: 'SESSION_FENCED' };
  await expect(repository.commitPoint(commitRequest(written))).rejects.toMatchObject(fenced);
  const source = new MemoryDisk(data);
  await expect(repository.writeDisk({ sessionId, diskKey: 'xvdb', sizeBytes: 1, source })).rejects.toMatchObject(
    fenced,
  );
  await expect(repository.beginSession({ sessionId, pointId, purpose: 'backup', pins: [] })).rejects.toMatchObject(
    fenced,
  );
  expect(await pointIds()).toEqual([]);
});

test('a point that was committed can’t be fenced any more', async () => {
  const written = await writeUncommitted();
  await repository.commitPoint(commitRequest(written));
  expect(await repository.fence(written.pointId)).toBe('committed');
  expect(await pointIds()).toEqual([written.pointId]);
});

test('of a commit and a fence at once, one wins and both are told', async () => {
  for (let round = 0; round < 10; round += 1) {
    const written = await writeUncommitted();
    const [commit, fence] = await Promise.allSettled([
      repository.commitPoint(commitRequest(written)),
      repository.fence(written.pointId),
    ]);
    const committed = (await pointIds()).includes(written.pointId);
    expect(commit.status).toBe(committed ? 'fulfilled' : 'rejected');
    expect(fence).toEqual({ status: 'fulfilled', value: committed ? 'committed' : 'fenced' });
  }
});

test('ending a session that was not committed fences it, and removes its journal', async () => {
  const written = await writeUncommitted();
  await repository.endSession(written.sessionId);
  await repository.endSession(written.sessionId);
  await expect(repository.commitPoint(commitRequest(written))).rejects.toMatchObject({ code: 'SESSION_FENCED' });
  expect([...vault.objects.keys()].filter((name) => name.startsWith('sessions/'))).toEqual([]);
});

test('a commit that was held up until its session was ended by another finds the tombstone', async () => {
  const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
  const { promise: atGate, resolve: reachGate } = Promise.withResolvers<void>();
  const written = await writeUncommitted();
  await using slow = await vault.open((store) => {
    const put: Store['putIfAbsent'] = async (name, parts) => {
      reachGate();
      await gate;
      return store.putIfAbsent(name, parts);
    };
    return new Proxy(store, { get: (target, key) => (key === 'putIfAbsent' ? put : bound(target, key)) });
  });
  const commit = slow.commitPoint(commitRequest(written));
  await atGate;
  await repository.endSession(written.sessionId);
  openGate();
  await expect(commit).rejects.toMatchObject({ code: 'SESSION_FENCED' });
  expect(await pointIds()).toEqual([]);
});

function bound(target: Store, key: string | symbol): unknown {
  const value: unknown = Reflect.get(target, key);
  return typeof value === 'function' ? value.bind(target) : value;
}

test('a session is the same again or refused', async () => {
  const sessionId = randomUUID();
  const request = { sessionId, pointId: randomUUID(), purpose: 'backup' as const, pins: [] };
  await repository.beginSession(request);
  await repository.beginSession(request);
  await expect(repository.beginSession({ ...request, pointId: randomUUID() })).rejects.toMatchObject({
    code: 'BAD_INPUT',
  });
  const pins = [randomUUID()];
  const reader = { sessionId: randomUUID(), pointId: randomUUID(), purpose: 'restore' as const, pins };
  await expect(repository.beginSession(reader)).rejects.toMatchObject({ code: 'NO_RESTORE_POINT' });
});

test('two writers of one point: the first stands, the second is told', async () => {
  const first = await writeUncommitted();
  const sessionId = randomUUID();
  await repository.beginSession({ sessionId, pointId: first.pointId, purpose: 'backup', pins: [] });
  await repository.commitPoint(commitRequest(first));
  const second = repository.commitPoint(commitRequest({ ...first, sessionId }));
  await expect(second).rejects.toMatchObject({ code: 'VAULT_OBJECT_EXISTS' });
});

test('a raised epoch fences the sessions from before it', async () => {
  const written = await writeUncommitted();
  const { tenantId, repositoryId } = vault;
  const keys = await vault.keyRing.getRepositoryKeys({ tenantId, repositoryId, generation: 0 });
  await raiseEpoch(vault.store, deriveSecrets(keys, repositoryId.replaceAll('-', ''), 0));
  await expect(repository.commitPoint(commitRequest(written))).rejects.toMatchObject({ code: 'SESSION_FENCED' });
  await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
});

test('a change list that lied is found, and the disk read in full', async () => {
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  const changed = data.map((byte) => byte ^ 0xff);
  const base = { pointId: summary.pointId, changed: [{ offset: 0, length: 4096 }] };
  const outcome = await backup(repository, { disks: { xvda: new MemoryDisk(changed) }, base, sampleBytes: 64 * KIB });
  expect(outcome.disks[0]?.fellBackToFull).toBe('CHANGE_LIST_LIED');
  expect(sameBytes(await restore(repository, outcome.summary.pointId, 'xvda'), changed)).toBe(true);
  expect(sameBytes(await restore(repository, summary.pointId, 'xvda'), data)).toBe(true);
});

test('a base is refused that the session does not pin: it might be collected meanwhile', async () => {
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  const sessionId = randomUUID();
  await repository.beginSession({ sessionId, pointId: randomUUID(), purpose: 'backup', pins: [] });
  const disk = { diskKey: 'xvda', sizeBytes: data.length, source: new MemoryDisk(data) };
  const base = { pointId: summary.pointId, diskKey: 'xvda' };
  const written = repository.writeDisk({ sessionId, ...disk, base, changed: [] });
  await expect(written).rejects.toMatchObject({ code: 'BAD_INPUT' });
});

test('a change list that told the truth is believed, and what was sampled is said', async () => {
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  const base = { pointId: summary.pointId, changed: [] };
  const disk = new MemoryDisk(data);
  const { disks } = await backup(repository, { disks: { xvda: disk }, base, sampleBytes: 64 * KIB });
  expect(disks[0]).not.toHaveProperty('fellBackToFull');
  expect(disks[0]?.bytesSampled).toBeGreaterThanOrEqual(64 * KIB);
  expect(disk.bytesRead).toBe(disks[0]?.bytesSampled);
});

test('forty incrementals: never more layers than the format allows, and every point stands by itself', async () => {
  const points: { pointId: string; data: Uint8Array }[] = [];
  let current = data;
  const layers: number[] = [];
  for (let run = 0; run < 40; run += 1) {
    const at = (run * 7 * KIB) % (current.length - 4 * KIB);
    const next = current.slice();
    next.set(randomBytes(3 * KIB), at);
    const last = points.at(-1);
    const base =
      last === undefined ? {} : { base: { pointId: last.pointId, changed: [{ offset: at, length: 3 * KIB }] } };
    const { summary, disks } = await backup(repository, { disks: { xvda: new MemoryDisk(next) }, ...base });
    points.push({ pointId: summary.pointId, data: next });
    layers.push(disks[0]?.manifest.layers.length ?? 0);
    current = next;
  }
  expect(Math.min(...layers)).toBeGreaterThan(0);
  expect(Math.max(...layers)).toBeLessThanOrEqual(1 + MAX_DELTAS);
  await using fresh = await vault.open();
  for (const [run, point] of points.entries()) {
    expect((await fresh.readPoint(point.pointId)).disks[0]?.layers).toHaveLength(layers[run] ?? 0);
    expect(sameBytes(await restore(fresh, point.pointId, 'xvda'), point.data)).toBe(true);
  }
});

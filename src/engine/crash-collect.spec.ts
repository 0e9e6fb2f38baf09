import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KIB } from '../kernel/bytes.ts';
import { FailingStore } from './testing/failing-store.ts';
import {
  backup,
  createTestVault,
  MemoryDisk,
  restore,
  sameBytes,
  SMALL_PARAMETERS,
  type TestVault,
} from './testing/test-vault.ts';

const shared = Array.from({ length: 4 }, () => randomBytes(40 * KIB));
const before = new Uint8Array(Buffer.concat(shared.flatMap((each) => [randomBytes(40 * KIB), each])));
const after = new Uint8Array(Buffer.concat(shared));
const HOW = { graceMs: 0, minLiveShare: 1 };

let vault: TestVault;
let kept: string;
/** A point was deleted of whose packs another needs a part. */
let deleted: Map<string, Uint8Array>;

beforeAll(async () => {
  vault = await createTestVault();
  await using repository = await vault.open(undefined, 1);
  const { pointId } = (await backup(repository, { disks: { xvda: new MemoryDisk(before) } })).summary;
  kept = (await backup(repository, { disks: { xvda: new MemoryDisk(after) } })).summary.pointId;
  await repository.deletePoint(pointId);
  deleted = new Map(vault.objects);
});

afterAll(async () => {
  await vault[Symbol.asyncDispose]();
});

function reset(): void {
  vault.objects.clear();
  deleted.forEach((data, name) => vault.objects.set(name, data));
}

function dataBytes(): number {
  return [...vault.objects].reduce((sum, [name, data]) => sum + (name.startsWith('data/') ? data.length : 0), 0);
}

async function countChanges(): Promise<number> {
  reset();
  const store = new FailingStore(vault.store, Infinity, 'before');
  await using repository = await vault.open(() => store, 1);
  const { deleted: gone, copied } = await repository.collect(HOW);
  expect(gone.dataPacks).toBeGreaterThan(0);
  expect(copied.frames).toBeGreaterThan(0);
  return store.changes;
}

test('a collector that dies at one change or another harms nothing, and the next one finishes', async () => {
  const changes = await countChanges();
  const clean = dataBytes();
  expect(changes).toBeGreaterThan(8);
  expect(clean).toBeLessThan([...deleted].reduce((sum, [, data]) => sum + data.length, 0) - 100 * KIB);
  for (let failAt = 1; failAt <= changes; failAt += 2) {
    reset();
    await using doomed = await vault.open((store) => new FailingStore(store, failAt, 'after'), 1);
    await expect(doomed.collect(HOW)).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });

    await using next = await vault.open(undefined, 1);
    expect(sameBytes(await restore(next, kept, 'xvda'), after)).toBe(true);
    const { unreadable, lostChunks, damagedPacks, waitsFor } = await next.collect(HOW);
    expect({ unreadable, lostChunks, damagedPacks, waitsFor }).toEqual({
      unreadable: [],
      lostChunks: 0,
      damagedPacks: [],
      waitsFor: [],
    });
    expect(dataBytes()).toBeLessThanOrEqual(clean + SMALL_PARAMETERS.packBytes);
    const base = { pointId: kept, changed: [] };
    const { summary } = await backup(next, { disks: { xvda: new MemoryDisk(after) }, base });
    expect(sameBytes(await restore(next, summary.pointId, 'xvda'), after)).toBe(true);
  }
});

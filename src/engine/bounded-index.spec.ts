import { createHash, randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { IndexLimits } from './index/chunk-index.ts';
import { applyStep, diskHistory, firstDisk, type DiskHistory } from './testing/disk-arbitrary.ts';
import { FailingStore } from './testing/failing-store.ts';
import { MemoryStore } from './testing/memory-store.ts';
import {
  backup,
  createTestVault,
  MemoryDisk,
  restore,
  sameBytes,
  SMALL_PARAMETERS,
  type TestVault,
} from './testing/test-vault.ts';
import type { Repository } from './repository.ts';

/** Everything is merged, divided, read by blocks, published early and forgotten within one small disk. */
const BOUNDED: IndexLimits = { segmentEntries: 40, wholeBytes: 0, cachedChunks: 8, ownChunks: 64 };
/** All of it fits into memory. */
const AMPLE: IndexLimits = { segmentEntries: 1e6, wholeBytes: 1e9, cachedChunks: 1e5, ownChunks: 1e5 };

/** Noise, of which some comes again, near and far. */
function largeDisk(seed: number): Uint8Array {
  const data = new Uint8Array(30 * SMALL_PARAMETERS.segmentBytes + 777);
  for (let at = 0; at < data.length; at += 32) {
    const block = Math.floor(at / SMALL_PARAMETERS.segmentBytes);
    const content = block % 5 === 4 ? at - 3 * SMALL_PARAMETERS.segmentBytes : at;
    const digest = createHash('sha256').update(`${seed} ${content}`).digest();
    data.set(digest.subarray(0, data.length - at), at);
  }
  return data;
}

interface Run {
  readonly chunksRead: number | undefined;
  readonly chunksNew: number | undefined;
}

async function runHistory(repository: Repository, history: DiskHistory, large: Uint8Array): Promise<Run[]> {
  const runs: Run[] = [];
  const note = ({ disks }: Awaited<ReturnType<typeof backup>>): void => {
    runs.push({ chunksRead: disks[0]?.chunksRead, chunksNew: disks[0]?.chunksNew });
  };
  let data = firstDisk(history);
  let outcome = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  note(outcome);
  for (const step of history.steps) {
    const { after, changed } = applyStep(data, step);
    const base = { pointId: outcome.summary.pointId, changed };
    outcome = await backup(repository, { disks: { xvda: new MemoryDisk(after) }, base });
    note(outcome);
    data = after;
  }
  note(await backup(repository, { disks: { xvda: new MemoryDisk(large) } }));
  note(await backup(repository, { disks: { xvda: new MemoryDisk(data) } }));
  note(await backup(repository, { disks: { xvda: new MemoryDisk(large) } }));
  return runs;
}

function dataBytes(objects: ReadonlyMap<string, Uint8Array>): number {
  const packs = [...objects].filter(([name]) => name.startsWith('data/'));
  return packs.reduce((sum, [, object]) => sum + object.length, 0);
}

test('an index that forgets, merges and reads by blocks finds as much as one in memory', async () => {
  await using vault = await createTestVault();
  // Of the same tenant: its disks are cut alike.
  const twin = new MemoryStore();
  vault.objects.forEach((object, name) => twin.objects.set(name, object));
  await using small = await vault.open(undefined, 1, BOUNDED);
  await using large = await vault.open(() => twin, 1, AMPLE);
  let seed = 0;
  await fc.assert(
    fc.asyncProperty(diskHistory, async (history) => {
      seed += 1;
      const disk = largeDisk(seed);
      const runs = await runHistory(small, history, disk);
      expect(runs).toEqual(await runHistory(large, history, disk));
      expect(runs.at(-1)?.chunksNew).toBe(0);
      // What a filter takes for known is stored after its neighbours: packs may end elsewhere, and be one more, but no chunk.
      const difference = Math.abs(dataBytes(vault.objects) - dataBytes(twin.objects));
      expect(difference).toBeLessThan(SMALL_PARAMETERS.minChunkBytes);
    }),
    { numRuns: 4 },
  );
});

test('new chunks that went into the index while a disk was written are found, by all its workers', async () => {
  await using vault = await createTestVault();
  await using repository = await vault.open(undefined, 2, BOUNDED);
  const data = largeDisk(1);
  const { summary, disks } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  expect(sameBytes(await restore(repository, summary.pointId, 'xvda'), data)).toBe(true);
  const again = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  expect(again.disks[0]?.chunksNew).toBe(0);
  expect(again.disks[0]?.chunksRead).toBe(disks[0]?.chunksRead);
});

test.each([9, 20, 33])(
  'a write that ends at change %i goes on after it, adopts only what no segment lists, and stores nothing twice',
  async (failAt) => {
    await using vault = await createTestVault();
    const ids = { sessionId: randomUUID(), pointId: randomUUID() };
    const data = largeDisk(2);
    const disks = { xvda: new MemoryDisk(data) };
    {
      const wrap = (store: TestVault['store']): FailingStore => new FailingStore(store, failAt, 'after');
      await using broken = await vault.open(wrap, 1, BOUNDED);
      await expect(backup(broken, { disks, ...ids })).rejects.toThrow('gone');
    }
    const before = [...vault.objects.keys()].filter((name) => name.startsWith('data/'));
    await using repository = await vault.open(undefined, 1, BOUNDED);
    const { summary } = await backup(repository, { disks, ...ids });
    expect(sameBytes(await restore(repository, summary.pointId, 'xvda'), data)).toBe(true);
    const stored = [...vault.objects].filter(([name]) => name.startsWith('data/'));
    expect(stored.length).toBeGreaterThan(before.length);
    const again = await backup(repository, { disks });
    expect(again.disks[0]?.chunksNew).toBe(0);
    await using fresh = await createTestVault();
    await using reference = await fresh.open(undefined, 1, AMPLE);
    const whole = await backup(reference, { disks });
    const bytes = dataBytes(vault.objects);
    const wanted = whole.disks[0]?.bytesStoredNew ?? 0;
    expect(bytes).toBeLessThan(wanted * 1.02 + 2 * SMALL_PARAMETERS.maxChunkBytes);
  },
);

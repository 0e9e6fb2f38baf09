import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { backup, createTestVault, MemoryDisk, restore, sameBytes, SMALL_PARAMETERS } from './testing/test-vault.ts';
import type { TestVault } from './testing/test-vault.ts';
import type { Repository } from './repository.ts';

const { segmentBytes } = SMALL_PARAMETERS;

let vault: TestVault;
let repository: Repository;

beforeEach(async () => {
  vault = await createTestVault();
  repository = await vault.open(undefined, 1);
});

afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  await vault[Symbol.asyncDispose]();
});

test.each([
  ['shrank', segmentBytes + 4097],
  ['shrank within a block', 4 * segmentBytes - 700],
  ['grew', 6 * segmentBytes + 5],
])('a disk that %s is sampled where both sizes have something, and nowhere else', async (_, size) => {
  const before = new Uint8Array(randomBytes(4 * segmentBytes));
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(before) } });
  const after = new Uint8Array(randomBytes(size));
  after.set(before.subarray(0, size));
  const base = { pointId: summary.pointId, changed: [] };
  const sampleBytes = 16 * segmentBytes;
  const run = await backup(repository, { disks: { xvda: new MemoryDisk(after) }, base, sampleBytes });
  expect(run.disks[0]?.fellBackToFull).toBeUndefined();
  expect(run.disks[0]?.bytesSampled).toBeGreaterThan(0);
  expect(sameBytes(await restore(repository, run.summary.pointId, 'xvda'), after)).toBe(true);
});

test.each([
  ['in a chunk', 0, 255],
  ['at the end of a hole', 2 * segmentBytes - 1, 1],
])('a byte that changed %s unnoticed makes the backup a full one', async (_, at, by) => {
  const before = new Uint8Array(2 * segmentBytes);
  before.set(randomBytes(segmentBytes));
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(before) } });
  const after = new Uint8Array(before);
  after[at] = (after[at] ?? 0) ^ by;
  const base = { pointId: summary.pointId, changed: [] };
  // Blocks are drawn at random: so many draws that none of the disk's 64 is left out.
  const sampleBytes = Number.MAX_SAFE_INTEGER;
  const run = await backup(repository, { disks: { xvda: new MemoryDisk(after) }, base, sampleBytes });
  expect(run.disks[0]?.fellBackToFull).toBe('CHANGE_LIST_LIED');
  expect(sameBytes(await restore(repository, run.summary.pointId, 'xvda'), after)).toBe(true);
});

test('a read that fails ends the sampling of all readers', async () => {
  const data = new Uint8Array(randomBytes(4 * segmentBytes));
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  const disk = new FailingDisk(data);
  const base = { pointId: summary.pointId, changed: [] };
  const run = backup(repository, { disks: { xvda: disk }, base, sampleBytes: 64 * segmentBytes });
  await expect(run).rejects.toThrow('no answer');
  expect(disk.reads.length).toBeLessThan(2 * disk.concurrency);
});

test('a write that was interrupted remembers that its change list lied', async () => {
  const before = new Uint8Array(randomBytes(2 * segmentBytes));
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(before) } });
  const after = new Uint8Array(randomBytes(before.length));
  const base = { pointId: summary.pointId, changed: [] };
  const ids = { sessionId: randomUUID(), pointId: randomUUID() };
  const isJudged = (): boolean =>
    [...vault.objects.keys()].some((name) => name.startsWith(`sessions/${ids.sessionId}.`));
  const disk = new StoppedDisk(after, isJudged);
  const run = backup(repository, { disks: { xvda: disk }, base, sampleBytes: segmentBytes, ...ids });
  await expect(run).rejects.toThrow('stopped');
  const again = await backup(repository, { disks: { xvda: new MemoryDisk(after) }, base, sampleBytes: 0, ...ids });
  expect(again.disks[0]?.fellBackToFull).toBe('CHANGE_LIST_LIED');
  expect(sameBytes(await restore(repository, ids.pointId, 'xvda'), after)).toBe(true);
});

class StoppedDisk extends MemoryDisk {
  readonly #isStopped: () => boolean;

  constructor(data: Uint8Array, isStopped: () => boolean) {
    super(data);
    this.#isStopped = isStopped;
  }

  override async read(offset: number, into: Uint8Array): Promise<void> {
    if (this.#isStopped()) {
      throw new Error('stopped');
    }
    await super.read(offset, into);
  }
}

/** Answers no read but the first. */
class FailingDisk extends MemoryDisk {
  override async read(offset: number, into: Uint8Array): Promise<void> {
    await super.read(offset, into);
    if (this.reads.length > 1) {
      throw new Error('no answer');
    }
  }
}

import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SEGMENTS_PER_GROUP } from '../manifest/manifest-reader.ts';
import {
  backup,
  createTestVault,
  MemoryDisk,
  restore,
  sameBytes,
  SMALL_PARAMETERS,
  type TestVault,
} from '../testing/test-vault.ts';
import { SLOTS } from '../worker/lane-memory.ts';
import { LanePool } from '../worker/lane-pool.ts';
import { GROUPS_AHEAD, LayerSpill } from './layer-spill.ts';
import { WriteJob } from './write-job.ts';

const { segmentBytes } = SMALL_PARAMETERS;
const WORKERS = 2;
const SEGMENTS = (GROUPS_AHEAD + 2) * SEGMENTS_PER_GROUP;
/** Each lane may have two segments, each of them taken up while another one asked for it. */
const MOST_TAKEN = GROUPS_AHEAD * SEGMENTS_PER_GROUP + SLOTS * WORKERS;

let vault: TestVault;

beforeEach(async () => {
  vault = await createTestVault();
});

afterEach(async () => {
  vi.restoreAllMocks();
  await vault[Symbol.asyncDispose]();
});

/** Mostly zeros; whoever reads its first segment waits until it is opened. */
class StuckDisk extends MemoryDisk {
  readonly #open = Promise.withResolvers<void>();

  get segmentsTaken(): number {
    return new Set(this.reads.map(({ offset }) => Math.floor(offset / segmentBytes))).size;
  }

  open(): void {
    this.#open.resolve();
  }

  fail(error: Error): void {
    this.#open.reject(error);
  }

  override async read(offset: number, into: Uint8Array): Promise<void> {
    if (offset < segmentBytes) {
      await this.#open.promise;
    }
    await super.read(offset, into);
  }
}

function stuckDisk(): StuckDisk {
  const data = new Uint8Array(SEGMENTS * segmentBytes);
  for (let at = 0; at < data.length; at += 37 * segmentBytes) {
    data.set(randomBytes(5000), at);
  }
  return new StuckDisk(data);
}

function spyOnWaiting(): () => number {
  const { mock } = vi.spyOn(LayerSpill.prototype, 'untilCloser');
  return () => mock.settledResults.filter(({ type }) => type === 'incomplete').length;
}

test('lanes wait for a segment that is stuck before records of all others fill the memory', async () => {
  await using repository = await vault.open(undefined, WORKERS);
  const disk = stuckDisk();
  const waiting = spyOnWaiting();
  const running = backup(repository, { disks: { xvda: disk } });
  // All slots but the one that is stuck.
  await expect.poll(waiting, { timeout: 20_000 }).toBe(WORKERS * SLOTS - 1);
  const taken = disk.segmentsTaken;
  disk.open();
  const { summary } = await running;
  expect(taken).toBeLessThanOrEqual(MOST_TAKEN);
  expect(sameBytes(await restore(repository, summary.pointId, 'xvda'), disk.data)).toBe(true);
}, 60_000);

test('a segment that fails ends the write for those that wait for it too', async () => {
  await using repository = await vault.open(undefined, WORKERS);
  const disk = stuckDisk();
  const waiting = spyOnWaiting();
  const running = backup(repository, { disks: { xvda: disk } });
  await expect.poll(waiting, { timeout: 20_000 }).toBe(WORKERS * SLOTS - 1);
  disk.fail(new Error('the disk went away'));
  await expect(running).rejects.toThrow('the disk went away');
}, 60_000);

test('tasks that one worker has at the same time hold their tables each for itself', async () => {
  await using repository = await vault.open(undefined, 1);
  const begun = vi.spyOn(WriteJob.prototype, 'beginTask').mock;
  const ended = vi.spyOn(WriteJob.prototype, 'endTask').mock;
  await backup(repository, { disks: { xvda: new MemoryDisk(new Uint8Array(randomBytes(20 * segmentBytes))) } });
  const events = [
    ...begun.calls.map(([task], i) => ({ task, begins: true, at: begun.invocationCallOrder[i] ?? 0 })),
    ...ended.calls.map(([task], i) => ({ task, begins: false, at: ended.invocationCallOrder[i] ?? 0 })),
  ].toSorted((a, b) => a.at - b.at);
  const underWay = new Set<object>();
  let most = 0;
  for (const { task, begins } of events) {
    expect(underWay.has(task)).toBe(!begins);
    if (begins) {
      underWay.add(task);
    } else {
      underWay.delete(task);
    }
    most = Math.max(most, underWay.size);
  }
  expect(most).toBe(SLOTS);
  expect(underWay.size).toBe(0);
});

test('a lane that others give back joins a write that is under way', async () => {
  await using repository = await vault.open(undefined, WORKERS);
  const first = stuckDisk();
  const acquired = vi.spyOn(LanePool.prototype, 'acquire').mock;
  const running = backup(repository, { disks: { xvda: first } });
  const waiting = spyOnWaiting();
  await expect.poll(waiting, { timeout: 20_000 }).toBe(WORKERS * SLOTS - 1);
  const second = stuckDisk();
  const other = backup(repository, { disks: { xvda: second } });
  await expect.poll(() => acquired.calls.length, { timeout: 20_000 }).toBe(2);
  const joined = vi.spyOn(LanePool.prototype, 'tryAcquire').mock;
  first.open();
  await running;
  second.open();
  await other;
  expect(joined.results.some(({ value }) => value !== null)).toBe(true);
}, 60_000);

import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KIB } from '../kernel/bytes.ts';
import { AppError } from '../kernel/errors.ts';
import { alterStore } from './testing/alter-store.ts';
import type { Store } from './ports/store.ts';
import {
  backup,
  createTestVault,
  MemoryDisk,
  noise,
  restore,
  sameBytes,
  SMALL_PARAMETERS,
  type TestVault,
} from './testing/test-vault.ts';
import type { DiskResult } from './write/write-types.ts';
import type { Repository } from './repository.ts';
import { BufferPool } from './worker/buffer-pool.ts';

const { segmentBytes, packBytes } = SMALL_PARAMETERS;

let vault: TestVault;

beforeEach(async () => {
  vault = await createTestVault();
});

afterEach(async () => {
  vi.restoreAllMocks();
  await vault[Symbol.asyncDispose]();
});

/** The store, but for data packs: they wait for the gate. */
function gated(store: Store, gate: Promise<void>): Store {
  return alterStore(store, {
    putIfAbsent: async (name, parts) => {
      if (name.startsWith('data/')) {
        await gate;
      }
      return store.putIfAbsent(name, parts);
    },
  });
}

async function begin(repository: Repository): Promise<{ sessionId: string; pointId: string }> {
  const ids = { sessionId: randomUUID(), pointId: randomUUID() };
  await repository.beginSession({ ...ids, purpose: 'backup', pins: [] });
  return ids;
}

test('many disks at once share the lanes, each comes back whole', async () => {
  for (const workers of [1, 2]) {
    await using repository = await vault.open(undefined, workers);
    const disks = Array.from({ length: 5 }, () => noise(5 * segmentBytes + 77));
    const { sessionId, pointId } = await begin(repository);
    const results = await Promise.all(
      disks.map((data, i) =>
        repository.writeDisk({ sessionId, diskKey: `disk ${i}`, sizeBytes: data.length, source: new MemoryDisk(data) }),
      ),
    );
    const config = new Uint8Array(0);
    await repository.commitPoint({ sessionId, pointId, vmId: 'vm', takenAt: 0, disks: results, config, info: {} });
    const restored = await Promise.all(disks.map((_, i) => restore(repository, pointId, `disk ${i}`)));
    disks.forEach((data, i) => expect(sameBytes(restored[i] ?? new Uint8Array(0), data)).toBe(true));
  }
});

test('a store that does not take packs stops the reading, at what its buffers hold', async () => {
  const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
  await using repository = await vault.open((store) => gated(store, gate), 2);
  const disk = new MemoryDisk(noise(40 * segmentBytes));
  const { sessionId } = await begin(repository);
  const acquire = vi.spyOn(BufferPool.prototype, 'acquire');
  const waiting = (): number => acquire.mock.settledResults.filter(({ type }) => type === 'incomplete').length;
  const writing = repository.writeDisk({ sessionId, diskKey: 'xvda', sizeBytes: disk.data.length, source: disk });
  // Both lanes wait for a buffer, all of which are with the store: nothing is left that could read.
  await expect.poll(() => waiting() === 2 || disk.bytesRead === disk.data.length).toBe(true);
  const { bytesRead } = disk;
  expect(bytesRead).toBeGreaterThanOrEqual(4 * segmentBytes);
  expect(bytesRead).toBeLessThanOrEqual(4 * segmentBytes + 3 * packBytes);
  openGate();
  expect((await writing).bytesRead).toBe(disk.data.length);
});

test('a write that is cancelled ends soon, leaves its lanes to others, and can be resumed', async () => {
  await using repository = await vault.open();
  const data = noise(12 * segmentBytes);
  const ids = await begin(repository);
  const controller = new AbortController();
  const request = { sessionId: ids.sessionId, diskKey: 'xvda', sizeBytes: data.length };
  let settled = 0;
  const writing = repository.writeDisk({
    ...request,
    source: new MemoryDisk(data),
    signal: controller.signal,
    onProgress: ({ doneBytes }) => {
      settled = doneBytes;
      if (doneBytes >= 4 * segmentBytes) {
        controller.abort();
      }
    },
  });
  await expect(writing).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(settled).toBeLessThan(data.length);
  for (let round = 0; round < 3; round += 1) {
    const { summary } = await backup(repository, { disks: { xvdb: new MemoryDisk(noise(3 * segmentBytes)) } });
    expect(summary.disks).toHaveLength(1);
  }
  const { summary } = await backup(repository, { ...ids, disks: { xvda: new MemoryDisk(data) } });
  expect(sameBytes(await restore(repository, summary.pointId, 'xvda'), data)).toBe(true);
});

test('a source that fails is what the write fails with, and the same repository goes on', async () => {
  await using repository = await vault.open();
  const { sessionId } = await begin(repository);
  const data = noise(6 * segmentBytes);
  let reads = 0;
  const source = {
    concurrency: 2,
    read: async (offset: number, into: Uint8Array): Promise<void> => {
      reads += 1;
      if (reads === 4) {
        throw new AppError('NBD_FAILED', 'The connection was cut.');
      }
      into.set(data.subarray(offset, offset + into.length));
    },
  };
  const request = { sessionId, diskKey: 'xvda', sizeBytes: data.length };
  await expect(repository.writeDisk({ ...request, source })).rejects.toMatchObject({ code: 'NBD_FAILED' });
  const result: DiskResult = await repository.writeDisk({ ...request, source: new MemoryDisk(data) });
  expect(result.sizeBytes).toBe(data.length);
});

test('a restore goes on from its cursor and writes nothing below it', async () => {
  // One lane: with two, the other may be far ahead of the first segment when the sink fails.
  await using repository = await vault.open(undefined, 1);
  const data = noise(7 * segmentBytes + 5);
  data.fill(0, 2 * segmentBytes - 40 * KIB, 4 * segmentBytes + 8 * KIB);
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  const restored = new Uint8Array(data.length);
  let cursor = 0;
  const sink = {
    concurrency: 2,
    write: async (offset: number, piece: Uint8Array): Promise<void> => {
      if (cursor === 0 && offset >= 5 * segmentBytes) {
        throw new AppError('IMPORT_FAILED', 'The import was cut.');
      }
      expect(offset).toBeGreaterThanOrEqual(cursor);
      restored.set(piece, offset);
    },
  };
  let settled = 0;
  const request = { pointId: summary.pointId, diskKey: 'xvda', sink };
  const onProgress = ({ settledBelow }: { settledBelow: number }): void => {
    settled = settledBelow;
  };
  await expect(repository.restoreDisk({ ...request, onProgress })).rejects.toMatchObject({ code: 'IMPORT_FAILED' });
  expect(settled).toBeGreaterThan(0);
  cursor = settled;
  const result = await repository.restoreDisk({ ...request, from: cursor });
  expect(result.bytesWritten + result.bytesHoles).toBe(data.length - cursor);
  expect(sameBytes(restored, data)).toBe(true);
});

test('ranges of a disk are read in order, holes as such', async () => {
  await using repository = await vault.open();
  const data = noise(3 * segmentBytes + 100);
  data.fill(0, segmentBytes, 2 * segmentBytes);
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  const ranges = [
    { offset: 10, length: 5 },
    { offset: segmentBytes - 3 * KIB, length: segmentBytes + 9 * KIB },
    { offset: data.length - 50, length: 500 },
  ];
  const pieces: { offset: number; data: Uint8Array | null; length: number }[] = [];
  for await (const piece of repository.readDisk({ pointId: summary.pointId, diskKey: 'xvda', ranges })) {
    pieces.push(piece);
  }
  for (const piece of pieces) {
    const expected = data.subarray(piece.offset, piece.offset + piece.length);
    expect(sameBytes(piece.data ?? new Uint8Array(piece.length), expected)).toBe(true);
  }
  expect(pieces.map(({ offset }) => offset)).toEqual(pieces.map(({ offset }) => offset).toSorted((a, b) => a - b));
  expect(pieces.reduce((sum, { length }) => sum + length, 0)).toBe(5 + segmentBytes + 9 * KIB + 50);
  expect(pieces.some((piece) => piece.data === null)).toBe(true);
});

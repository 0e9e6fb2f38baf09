import { randomBytes } from 'node:crypto';
import { afterEach, expect, test, vi } from 'vitest';
import { DiskGeometry } from '../disk-geometry.ts';
import { backup, createTestVault, MemoryDisk, SMALL_PARAMETERS } from '../testing/test-vault.ts';
import { Lane } from '../worker/lane.ts';
import { lanesWorth } from './lanes-worth.ts';

const { segmentBytes } = SMALL_PARAMETERS;

afterEach(() => {
  vi.restoreAllMocks();
});

test('a thread is worth starting for a segment, the first for anything', () => {
  const geometry = new DiskGeometry(100 * segmentBytes, SMALL_PARAMETERS);
  const counts = [0, 1, 2 * segmentBytes - 1, 2 * segmentBytes, 100 * segmentBytes].map((n) => lanesWorth(n, geometry));
  expect(counts).toEqual([1, 1, 1, 2, 100]);
});

test('small changes all over a disk start one thread, a whole disk starts all', async () => {
  await using vault = await createTestVault();
  const disk = (): MemoryDisk => new MemoryDisk(data);
  const data = new Uint8Array(randomBytes(24 * segmentBytes));
  const begin = vi.spyOn(Lane.prototype, 'beginWrite');
  const lanes = (): number => new Set(begin.mock.contexts).size;
  const first = await vault.open(undefined, 2);
  const { summary } = await backup(first, { disks: { xvda: disk() } });
  await first[Symbol.asyncDispose]();
  expect(lanes()).toBe(2);

  begin.mockClear();
  const changed = Array.from({ length: 24 }, (_, i) => ({ offset: i * segmentBytes, length: 4096 }));
  await using second = await vault.open(undefined, 2);
  await backup(second, { disks: { xvda: disk() }, base: { pointId: summary.pointId, changed } });
  expect(lanes()).toBe(1);
  await backup(second, { disks: { xvda: disk() } });
  expect(lanes()).toBe(2);
});

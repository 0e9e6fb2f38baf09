import { randomBytes } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes, SMALL_PARAMETERS } from '../testing/test-vault.ts';

// Lanes without threads: what counts is what their memory holds from the write before.
vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'));

const { segmentBytes } = SMALL_PARAMETERS;

test('a hole that a window is extended by is a hole, whatever lies in its place in memory', async () => {
  await using vault = await createTestVault();
  await using repository = await vault.open((same) => same, 1);
  const data = new Uint8Array(2 * segmentBytes);
  for (let at = 0; at < data.length; at += segmentBytes) {
    data.set(randomBytes(20 * KIB), at);
    data.set(randomBytes(20 * KIB), at + segmentBytes - 20 * KIB);
  }
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  await backup(repository, { disks: { xvda: new MemoryDisk(new Uint8Array(randomBytes(4 * segmentBytes))) } });
  const after = data.slice();
  const changed = [0, segmentBytes].map((offset) => ({ offset, length: 20 * KIB }));
  changed.forEach(({ offset, length }) => after.fill(0, offset, offset + length));
  const { summary: next, disks } = await backup(repository, {
    disks: { xvda: new MemoryDisk(after) },
    base: { pointId: summary.pointId, changed },
  });
  expect(disks).toMatchObject([{ chunksNew: 0 }]);
  expect(sameBytes(await restore(repository, next.pointId, 'xvda'), after)).toBe(true);
});

import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { KIB } from '../kernel/bytes.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes } from './testing/test-vault.ts';

test('a disk comes back byte for byte', async () => {
  await using vault = await createTestVault();
  await using repository = await vault.open();
  const data = new Uint8Array(700 * KIB + 123);
  data.set(randomBytes(300 * KIB), 64 * KIB);
  data.fill(7, 500 * KIB, 600 * KIB);
  data.set(randomBytes(100), data.length - 100);
  const disk = new MemoryDisk(data);

  const { summary, disks } = await backup(repository, { disks: { xvda: disk } });

  expect(sameBytes(await restore(repository, summary.pointId, 'xvda'), data)).toBe(true);
  expect(disks[0]?.bytesRead).toBe(data.length);
});

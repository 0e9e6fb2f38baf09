import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { KIB, MIB } from '../../kernel/bytes.ts';
import { DEFAULT_PARAMETERS } from '../repository-parameters.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes, SMALL_PARAMETERS } from '../testing/test-vault.ts';
import { packBytesAt } from './pack-bytes.ts';

test('packs grow from round to round up to the size of the vault’s, and have room for some chunks at once', () => {
  const sizes = (parameters: typeof DEFAULT_PARAMETERS, expected = 2 ** 40): number[] =>
    [0, 1, 2, 3, 4, 100].map((round) => packBytesAt(round, expected, parameters) / KIB);
  const inKib = (...mib: number[]): number[] => mib.map((size) => size * KIB);
  expect(sizes(DEFAULT_PARAMETERS)).toEqual(inKib(8, 16, 32, 64, 64, 64));
  expect(sizes(DEFAULT_PARAMETERS, 10 * MIB)).toEqual(inKib(8, 8, 8, 8, 8, 8));
  expect(sizes(DEFAULT_PARAMETERS, 160 * MIB)).toEqual(inKib(8, 16, 16, 16, 16, 16));
  expect(sizes({ ...DEFAULT_PARAMETERS, maxChunkBytes: 3 * MIB })).toEqual(inKib(24, 48, 64, 64, 64, 64));
  expect(sizes(SMALL_PARAMETERS)).toEqual(Array(6).fill(112));
});

test('each lane’s first packs are small, so that the store has something to do while the rest is read', async () => {
  await using vault = await createTestVault({ ...SMALL_PARAMETERS, packBytes: 32 * MIB });
  await using repository = await vault.open(undefined, 1);
  const data = new Uint8Array(randomBytes(30 * MIB));
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  const packs = [...vault.objects].filter(([name]) => name.startsWith('data/')).map(([, { length }]) => length);
  expect(packs.map((length) => Math.ceil(length / MIB)).toSorted((a, b) => a - b)).toEqual([7, 8, 8, 8]);
  expect(sameBytes(await restore(repository, summary.pointId, 'xvda'), data)).toBe(true);
});

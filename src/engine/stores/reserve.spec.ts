import { describe, expect, test } from 'vitest';
import { GIB, KIB, MIB } from '../../kernel/bytes.ts';
import { SYSTEM_FILES, type FileSystem } from './file-system.ts';
import { Reserve } from './reserve.ts';

const BLOCK_BYTES = 4096;

function reserveOn(sizeBytes: number, freeBytes: number): Reserve {
  const space = { bsize: BLOCK_BYTES, blocks: sizeBytes / BLOCK_BYTES, bavail: freeBytes / BLOCK_BYTES };
  return new Reserve({ ...SYSTEM_FILES, statfs: async () => space }, '/vault');
}

const PACK = { name: 'data/00/pack', bytes: 16 * MIB, givesSpaceBack: false };
const done = async (): Promise<string> => 'done';
const full = { code: 'VAULT_FULL' };

describe('what a directory keeps free', () => {
  test.each([
    ['256 MiB', 1024 * GIB, 256 * MIB],
    ['a 64th of a small file system', GIB, 16 * MIB],
  ])('is %s', async (_, size, kept) => {
    expect(await reserveOn(size, kept + PACK.bytes).spare(PACK, done)).toBe('done');
    await expect(reserveOn(size, kept + PACK.bytes - BLOCK_BYTES).spare(PACK, done)).rejects.toMatchObject(full);
  });

  test('is for small objects, whole, but not for packs', async () => {
    const reserve = reserveOn(GIB, 0);
    expect(await reserve.spare({ ...PACK, name: 'custody/a/1', bytes: KIB }, done)).toBe('done');
    expect(await reserve.spare({ ...PACK, name: 'index/0/a', bytes: KIB }, done)).toBe('done');
    for (const name of ['data/00/a', 'meta/00/a']) {
      await expect(reserve.spare({ ...PACK, name, bytes: KIB }, done)).rejects.toMatchObject(full);
    }
    await expect(reserve.spare({ ...PACK, name: 'index/0/a', bytes: MIB }, done)).rejects.toMatchObject(full);
  });

  test('is for what gives space back, by half', async () => {
    const pack = { ...PACK, givesSpaceBack: true };
    expect(await reserveOn(1024 * GIB, 144 * MIB).spare(pack, done)).toBe('done');
    await expect(reserveOn(1024 * GIB, 143 * MIB).spare(pack, done)).rejects.toMatchObject(full);
  });

  test('is not taken by several at once', async () => {
    const reserve = reserveOn(1024 * GIB, 256 * MIB + 2 * PACK.bytes);
    const { promise, resolve } = Promise.withResolvers<string>();
    const writing = [reserve.spare(PACK, () => promise), reserve.spare(PACK, () => promise)];
    await expect(reserve.spare(PACK, done)).rejects.toMatchObject(full);
    resolve('done');
    await Promise.all(writing);
    expect(await reserve.spare(PACK, done)).toBe('done');
  });

  test('is nothing where the file system does not say what is free', async () => {
    expect(await reserveOn(0, 0).spare(PACK, done)).toBe('done');
    const { statfs, ...without } = SYSTEM_FILES;
    expect(statfs).toBeDefined();
    expect(await new Reserve(without, '/vault').spare(PACK, done)).toBe('done');
    const files: FileSystem = {
      ...SYSTEM_FILES,
      statfs: () => Promise.reject(Object.assign(new Error('refused'), { code: 'ENOSYS' })),
    };
    expect(await new Reserve(files, '/vault').spare(PACK, done)).toBe('done');
  });
});

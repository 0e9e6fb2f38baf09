import { chmod, mkdir, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DirectoryStore } from '../../src/engine/index.ts';
import { toStoreError } from '../../src/engine/stores/directory-errors.ts';
import { testStore } from './store-suite.ts';

describe('a directory as a store', () => {
  testStore(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-store-'));
    return {
      store: new DirectoryStore(folder),
      other: new DirectoryStore(folder),
      close: () => rm(folder, { recursive: true }),
    };
  });
});

describe('what only directories have', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-store-'));
  });

  afterEach(async () => {
    await chmod(folder, 0o700); // a test may have closed it
    await rm(folder, { recursive: true, force: true });
  });

  test('nothing is left aside, neither by who is first nor by who is second', async () => {
    const store = new DirectoryStore(folder);
    await store.putIfAbsent('a/name', [Buffer.from('x')]);
    await store.putIfAbsent('a/name', [Buffer.from('y')]);
    expect(await readdir(join(folder, '.aside'))).toEqual([]);
  });

  test('what a killed writer left aside is not listed, and can be removed once it is old', async () => {
    const store = new DirectoryStore(folder);
    await mkdir(join(folder, '.aside'));
    await writeFile(join(folder, '.aside', '0'.repeat(32)), 'x');
    for await (const { name } of store.list('')) {
      throw new Error(`listed: ${name}`);
    }
    expect(await store.removeLeftovers(Date.now(), 3_600_000)).toBe(0);
    expect(await store.removeLeftovers(Date.now() + 3_600_000, 60_000)).toBe(1);
    expect(await readdir(join(folder, '.aside'))).toEqual([]);
  });

  test('a directory that is not there is not made', async () => {
    const store = new DirectoryStore(join(folder, 'unmounted'));
    const unreachable = { code: 'VAULT_UNREACHABLE' };
    await expect(store.putIfAbsent('x', [])).rejects.toMatchObject(unreachable);
    await expect(store.get('x')).rejects.toMatchObject(unreachable);
    await expect(store.head('x')).rejects.toMatchObject(unreachable);
    await expect(store.list('x/')[Symbol.asyncIterator]().next()).rejects.toMatchObject(unreachable);
    expect(await readdir(folder)).toEqual([]);
  });

  test('a full disk is a full vault', async () => {
    // Linux has a device that is always full; it stands in for the file that is written aside.
    const full = await open('/dev/full', 'w');
    const error: unknown = await full.write('x').catch((thrown: unknown) => thrown);
    await full.close();
    expect(toStoreError(error, 'write', folder)).toMatchObject({ code: 'VAULT_FULL', data: { errno: 'ENOSPC' } });
  });

  test.each([
    ['EROFS', 'VAULT_READ_ONLY'],
    ['EACCES', 'VAULT_READ_ONLY'],
    ['EPERM', 'VAULT_READ_ONLY'],
    ['ENOSPC', 'VAULT_FULL'],
    ['EDQUOT', 'VAULT_FULL'],
    ['EIO', 'VAULT_UNREACHABLE'],
    ['ESTALE', 'VAULT_UNREACHABLE'],
  ])('%s means %s', (errno, code) => {
    const error = toStoreError(Object.assign(new Error(errno), { code: errno }), 'write x', folder);
    expect(error).toMatchObject({ code, data: { errno, directory: folder } });
    expect(error.message).toContain(folder);
  });

  test.skipIf(process.getuid?.() === 0)('a folder without permission is a read-only vault', async () => {
    const store = new DirectoryStore(folder);
    await chmod(folder, 0o500);
    await expect(store.putIfAbsent('x', [Buffer.from('x')])).rejects.toMatchObject({ code: 'VAULT_READ_ONLY' });
  });
});

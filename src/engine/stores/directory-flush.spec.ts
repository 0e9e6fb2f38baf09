import type * as Files from 'node:fs/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DirectoryStore } from './directory-store.ts';

/** What the tests see and decide of `fsync` on directories; everything else is the real thing. */
const disk = vi.hoisted(() => ({
  synced: [] as string[],
  sync: async (): Promise<void> => {},
}));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Files>();
  const open = async (
    path: Parameters<typeof real.open>[0],
    flags?: Parameters<typeof real.open>[1],
    mode?: Parameters<typeof real.open>[2],
  ): Promise<Files.FileHandle> => {
    const handle = await real.open(path, flags, mode);
    if ((await handle.stat()).isDirectory()) {
      const sync = handle.sync.bind(handle);
      handle.sync = async () => {
        await disk.sync();
        await sync();
        disk.synced.push(String(path));
      };
    }
    return handle;
  };
  return { ...real, open };
});

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-flush-'));
  disk.synced = [];
  disk.sync = async () => {};
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const durable = (): string[] => [...new Set(disk.synced.map((path) => relative(folder, path)))].toSorted();

test('a flush makes new names durable, with all folders that they lie in', async () => {
  const store = new DirectoryStore(folder);
  await store.putIfAbsent('data/aa/one', [Buffer.from('x')]);
  await store.flush();
  expect(durable()).toEqual(['', 'data', 'data/aa']);
});

test('folders that another process made a moment ago count as new', async () => {
  await new DirectoryStore(folder).putIfAbsent('data/aa/one', [Buffer.from('x')]);
  const other = new DirectoryStore(folder);
  await other.putIfAbsent('data/aa/two', [Buffer.from('y')]);
  await other.flush();
  expect(durable()).toEqual(['', 'data', 'data/aa']);
});

test('so do the folders of an object that another process put a moment ago, and that was found', async () => {
  await new DirectoryStore(folder).putIfAbsent('data/aa/one', [Buffer.from('x')]);
  const other = new DirectoryStore(folder);
  await other.head('data/aa/one');
  await other.flush();
  expect(durable()).toEqual(['', 'data', 'data/aa']);
});

test('so do those of objects that a list shows', async () => {
  await new DirectoryStore(folder).putIfAbsent('data/aa/one', [Buffer.from('x')]);
  const other = new DirectoryStore(folder);
  for await (const { name } of other.list('data/')) {
    expect(name).toBe('data/aa/one');
  }
  await other.flush();
  expect(durable()).toEqual(['', 'data', 'data/aa']);
});

test('a flush does not return before one that is still at work on names that were put before', async () => {
  const store = new DirectoryStore(folder);
  const { promise, resolve } = Promise.withResolvers<void>();
  disk.sync = () => promise;
  await store.putIfAbsent('data/aa/one', [Buffer.from('x')]);
  const order: string[] = [];
  const first = store.flush().then(() => order.push('first'));
  const second = store.flush().then(() => order.push('second'));
  await new Promise((settled) => {
    setImmediate(settled);
  });
  expect(order).toEqual([]);
  resolve();
  await Promise.all([first, second]);
  expect(durable()).toContain('data/aa');
});

test('a flush that fails is told to everybody whose names it was for, and tried again by the next', async () => {
  const store = new DirectoryStore(folder);
  disk.sync = () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }));
  await store.putIfAbsent('data/aa/one', [Buffer.from('x')]);
  const both = await Promise.allSettled([store.flush(), store.flush()]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  disk.sync = async () => {};
  await store.flush();
  expect(durable()).toContain('data/aa');
});

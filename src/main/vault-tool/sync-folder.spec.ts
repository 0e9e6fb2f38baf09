import type * as Files from 'node:fs/promises';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PartialFile } from './partial-file.ts';
import { replaceFile } from './replace-file.ts';

/** What was in a folder each time that it was synced, and how that ends; everything else is the real thing. */
const disk = vi.hoisted(() => ({ synced: [] as string[][], errno: '' }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Files>();
  const open = async (...how: Parameters<typeof real.open>): Promise<Files.FileHandle> => {
    const handle = await real.open(...how);
    if ((await handle.stat()).isDirectory()) {
      handle.sync = async () => {
        if (disk.errno !== '') {
          throw Object.assign(new Error('sync failed'), { code: disk.errno });
        }
        disk.synced.push(await real.readdir(String(how[0])));
      };
    }
    return handle;
  };
  return { ...real, open };
});

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-sync-'));
  Object.assign(disk, { synced: [], errno: '' });
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function restore(force: boolean): Promise<void> {
  const to = join(folder, 'disk.raw');
  const partial = await PartialFile.open(`${to}.partial`, { force, begun: null, resume: undefined });
  try {
    await partial.complete(to);
  } finally {
    await partial.handle.close();
  }
}

test('the name of what was restored, or replaced, is durable', async () => {
  await restore(false);
  await restore(true);
  expect(disk.synced).toEqual([['disk.raw'], ['disk.raw']]);
  await replaceFile(join(folder, 'cursor'), '{}');
  expect(disk.synced.at(-1)).toEqual(['cursor', 'disk.raw']);
});

test('a file system that syncs no folders does what it can, a broken one is told', async () => {
  disk.errno = 'EINVAL';
  await restore(false);
  disk.errno = 'EIO';
  await expect(restore(true)).rejects.toMatchObject({ code: 'EIO' });
  await expect(replaceFile(join(folder, 'cursor'), '{}')).rejects.toMatchObject({ code: 'BAD_INPUT' });
  expect(await readdir(folder)).toContain('disk.raw');
});

import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PartialFile } from './partial-file.ts';

let folder: string;
let to: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-partial-'));
  to = join(folder, 'disk.raw');
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function begin(force: boolean): Promise<PartialFile> {
  const partial = await PartialFile.open(`${to}.partial`, { force, begun: null, resume: undefined });
  await partial.handle.writeFile('restored');
  return partial;
}

test('what came to have its name while it grew is replaced only where that is meant', async () => {
  const partial = await begin(false);
  await writeFile(to, 'precious');
  await expect(partial.complete(to)).rejects.toMatchObject({ code: 'BAD_INPUT', message: `${to} is there already.` });
  expect(await readFile(to, 'utf8')).toBe('precious');
  expect(await readdir(folder)).toEqual(['disk.raw', 'disk.raw.partial']);
  await partial.handle.close();
  const meant = await begin(true);
  await meant.complete(to);
  expect(await readFile(to, 'utf8')).toBe('restored');
  expect(await readdir(folder)).toEqual(['disk.raw']);
});

test('it gets its name, and keeps no other', async () => {
  await (await begin(false)).complete(to);
  expect(await readFile(to, 'utf8')).toBe('restored');
  expect(await readdir(folder)).toEqual(['disk.raw']);
});

test('the file of another restore in its place is left alone, and it can still be synced', async () => {
  const partial = await begin(false);
  await rename(partial.path, join(folder, 'moved'));
  await writeFile(partial.path, 'another');
  await expect(partial.complete(to)).rejects.toMatchObject({ message: expect.stringContaining('was replaced') });
  await partial.handle.datasync();
  await partial.handle.close();
  await partial.remove();
  expect(await readFile(partial.path, 'utf8')).toBe('another');
});

import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeFolder } from './make-folder.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-make-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

it('makes what is missing, also when two make it at once, and leaves what is there', async () => {
  const path = join(folder, 'a', 'b', 'c');
  await Promise.all([makeFolder(path, 0o711), makeFolder(path, 0o711)]);
  await makeFolder(path, 0o700);
  expect(((await stat(path)).mode & 0o777).toString(8)).toBe('711');
});

it('says which parent takes no folder, where Node’s own way would never return', async () => {
  await expect(makeFolder('/proc/holdfast/data', 0o700)).rejects.toMatchObject({
    code: 'DATA_FOLDER_UNUSABLE',
    message: 'The folder /proc/holdfast/data can’t be made: /proc takes no new folder (ENOENT).',
  });
});

it('says what stands in the way', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  await expect(makeFolder(join(file, 'data'), 0o700)).rejects.toMatchObject({
    code: 'DATA_FOLDER_UNUSABLE',
    message: `The folder ${file}/data can’t be made: ${file} is no folder.`,
  });
});

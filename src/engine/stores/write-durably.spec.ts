import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { allocateSharedMemory } from '../chunking/web-assembly.ts';
import { SYSTEM_FILES, type FileSystem } from './file-system.ts';
import { writeDurably } from './write-durably.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-write-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Shared memory of WebAssembly begins at a page on every system. */
function atPage(bytes: number): Uint8Array {
  const view = new Uint8Array(allocateSharedMemory(Math.max(1, bytes)).buffer, 0, bytes);
  view.set(randomBytes(bytes));
  return view;
}

async function written(files: FileSystem, parts: readonly Uint8Array[]): Promise<Buffer> {
  const path = join(folder, randomBytes(8).toString('hex'));
  await writeDurably(files, path, parts);
  return readFile(path);
}

/** Direct files that refuse as some file systems do: at opening, or after so many bytes. */
function refusing(after: number | 'opening'): FileSystem {
  const refusal = Object.assign(new Error('refused'), { code: 'EINVAL' });
  return {
    ...SYSTEM_FILES,
    createDirect: async (path, mode) => {
      if (after === 'opening') {
        throw refusal;
      }
      const file = await SYSTEM_FILES.open(path, 'wx', mode);
      let left = after;
      return {
        read: (into, at, length, position) => file.read(into, at, length, position),
        stat: () => file.stat(),
        datasync: () => file.datasync(),
        sync: () => file.sync(),
        close: () => file.close(),
        write: async (data, at, length) => {
          if (left === 0) {
            throw refusal;
          }
          const { bytesWritten } = await file.write(data, at, Math.min(length, left));
          left -= bytesWritten;
          return { bytesWritten };
        },
      };
    },
  };
}

const SIZES = [0, 1, 4096, 1024 * 1024, 1024 * 1024 + 1, 3_000_001];

test.each(SIZES)('%i bytes are written as they are, wherever their memory begins', async (bytes) => {
  const data = atPage(bytes);
  expect((await written(SYSTEM_FILES, [data])).equals(data)).toBe(true);
  const moved = atPage(bytes + 5).subarray(5);
  expect((await written(SYSTEM_FILES, [moved])).equals(moved)).toBe(true);
});

test.each(['opening', 0, 4096, 1_000_000] as const)(
  'a file system that refuses at %s direct bytes gets the rest the usual way',
  async (after) => {
    const data = atPage(3_000_001);
    expect((await written(refusing(after), [data])).equals(data)).toBe(true);
  },
);

test('several parts follow each other', async () => {
  const [one, other] = [atPage(2_000_000), atPage(10)];
  expect((await written(SYSTEM_FILES, [one, other])).equals(Buffer.concat([one, other]))).toBe(true);
});

test('a file that is there is not written over', async () => {
  const path = join(folder, 'there');
  for (const bytes of [10, 2_000_000]) {
    await writeDurably(SYSTEM_FILES, `${path}${bytes}`, [atPage(bytes)]);
    await expect(writeDurably(SYSTEM_FILES, `${path}${bytes}`, [atPage(bytes)])).rejects.toMatchObject({
      code: 'EEXIST',
    });
  }
});

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DirectoryStore } from './directory-store.ts';
import { SYSTEM_FILES, type FolderEntry } from './file-system.ts';

const run = promisify(execFile);

const GOOD = 'points/good';
const ODD = 'points/odd';

let folder: string;
let store: DirectoryStore;
let socket: Server | null = null;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-odd-'));
  store = new DirectoryStore(folder);
  await store.putIfAbsent(GOOD, [Buffer.from('good')]);
});

afterEach(async () => {
  socket?.close();
  socket = null;
  await run('rm', ['-rf', folder]);
});

async function namesIn(prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of store.list(prefix)) {
    names.push(name);
  }
  return names.toSorted();
}

const KINDS: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
  'a pipe': (path) => run('mkfifo', [path]),
  'a socket': async (path) => {
    socket = createServer();
    await new Promise<void>((done) => socket?.listen(path, done));
  },
  'a folder': (path) => mkdir(path),
  'a link to a folder': (path) => symlink('/etc', path),
  'a link to a file': (path) => symlink(join(folder, GOOD), path),
  'a link to itself': (path) => symlink(path, path),
  'a link to a device': (path) => symlink('/dev/zero', path),
};

describe.each(Object.keys(KINDS))('%s at the name of an object', (kind) => {
  beforeEach(() => KINDS[kind]?.(join(folder, ODD)));

  test('is damage of that object', async () => {
    const damage = { code: 'VAULT_CORRUPT', data: { object: ODD, directory: folder } };
    await expect(store.get(ODD)).rejects.toMatchObject(damage);
    await expect(store.getRange(ODD, 0, new Uint8Array(4))).rejects.toMatchObject(damage);
  });

  test('is no object for who looks or lists', async () => {
    expect(await store.head(ODD)).toBe(null);
    expect(await namesIn('points/')).toEqual([GOOD]);
    expect(await namesIn('')).toEqual([GOOD]);
  });

  test('is never replaced', async () => {
    expect(await store.putIfAbsent(ODD, [Buffer.from('x')])).toBe('exists');
  });
});

test('a folder at the name of an object is not deleted, and that is said', async () => {
  await mkdir(join(folder, ODD));
  await expect(store.delete(ODD)).rejects.toMatchObject({ code: 'VAULT_CORRUPT', data: { object: ODD } });
});

test('a name that no file can have is damage of that object', async () => {
  const name = `points/${'x'.repeat(300)}`;
  await expect(store.get(name)).rejects.toMatchObject({ code: 'VAULT_CORRUPT', data: { object: name } });
  expect(await store.head(name)).toBe(null);
});

test.each(['ENXIO', 'ENODEV', 'ELOOP', 'EISDIR'])('%s of a regular file may pass: it is no damage', async (code) => {
  const openObject = (): Promise<never> => Promise.reject(Object.assign(new Error(code), { code }));
  const away = new DirectoryStore(folder, { ...SYSTEM_FILES, openObject });
  const passing = { code: 'VAULT_UNREACHABLE', data: { errno: code, object: GOOD } };
  await expect(away.get(GOOD)).rejects.toMatchObject(passing);
  await expect(away.getRange(GOOD, 0, new Uint8Array(1))).rejects.toMatchObject(passing);
});

test.each(['ENXIO', 'ENODEV'])(
  'who looks for a name on a device that is away (%s) is not told that it is free',
  async (code) => {
    const lstat: typeof SYSTEM_FILES.lstat = (path) =>
      path.endsWith(GOOD) ? Promise.reject(Object.assign(new Error(code), { code })) : SYSTEM_FILES.lstat(path);
    const away = new DirectoryStore(folder, { ...SYSTEM_FILES, lstat });
    await expect(away.head(GOOD)).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE', data: { errno: code } });
  },
);

test('where the root is a link in circles, as one that can’t be mounted may be, nothing is missing or damaged', async () => {
  await store.get(GOOD);
  const real = `${folder}.real`;
  await rename(folder, real);
  await symlink(folder, folder);
  try {
    const passing = { code: 'VAULT_UNREACHABLE', data: { errno: 'ELOOP' } };
    await expect(store.get(GOOD)).rejects.toMatchObject(passing);
    await expect(store.getRange(GOOD, 0, new Uint8Array(1))).rejects.toMatchObject(passing);
    await expect(store.head(GOOD)).rejects.toMatchObject(passing);
    await expect(store.delete(GOOD)).rejects.toMatchObject(passing);
  } finally {
    await unlink(folder);
    await rename(real, folder);
  }
  expect(await store.get(GOOD)).toEqual(new Uint8Array(Buffer.from('good')));
});

test('what lies deeper than any object is no part of the vault, however deep', async () => {
  await run('python3', ['-c', NEST, join(folder, 'points')]);
  await mkdir(join(folder, 'data/ab/cd'), { recursive: true });
  await writeFile(join(folder, 'data/ab/object'), 'x');
  await writeFile(join(folder, 'data/ab/cd/deeper'), 'x');
  expect(await namesIn('')).toEqual(['data/ab/object', GOOD]);
  expect(await namesIn('points/')).toEqual([GOOD]);
  expect(await namesIn('data/')).toEqual(['data/ab/object']);
});

/** Folders whose path no system call takes. */
const NEST = `
import os, sys
os.chdir(sys.argv[1])
for _ in range(2100):
  os.mkdir('d')
  os.chdir('d')
`;

test('a file of a terabyte of holes is refused unread', async () => {
  await writeFile(join(folder, ODD), 'x');
  await truncate(join(folder, ODD), 1e12);
  const tooLarge = { code: 'VAULT_CORRUPT', data: { object: ODD, sizeBytes: 1e12, maxBytes: 1e6 } };
  await expect(store.get(ODD, { maxBytes: 1e6 })).rejects.toMatchObject(tooLarge);
});

test('a file whose name no object can have is not listed', async () => {
  await writeFile(join(folder, '.nfs0000'), 'x');
  expect(await namesIn('')).toEqual([GOOD]);
});

test('a file system’s own folder, which nobody may read, keeps nobody from what is in the vault', async () => {
  await mkdir(join(folder, 'lost+found'));
  await mkdir(join(folder, 'points/lost+found'));
  const opendir: typeof SYSTEM_FILES.opendir = (path) =>
    path.includes('lost+found')
      ? Promise.reject(Object.assign(new Error(path), { code: 'EACCES' }))
      : SYSTEM_FILES.opendir(path);
  store = new DirectoryStore(folder, { ...SYSTEM_FILES, opendir });
  expect(await namesIn('')).toEqual([GOOD]);
  expect(await namesIn('points/')).toEqual([GOOD]);
});

test('a list that ends in the middle says so as any failure of the store', async () => {
  const entries = await SYSTEM_FILES.opendir(join(folder, 'points'));
  async function* broken(): AsyncIterable<FolderEntry> {
    yield* entries;
    throw Object.assign(new Error('EIO'), { code: 'EIO' });
  }
  store = new DirectoryStore(folder, { ...SYSTEM_FILES, opendir: () => Promise.resolve(broken()) });
  await expect(namesIn('points/')).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE', data: { errno: 'EIO' } });
});

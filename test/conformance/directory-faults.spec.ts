import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as nodeFiles from 'node:fs/promises';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DirectoryStore, type Store } from '../../src/engine/index.ts';
import { SYSTEM_FILES, type FileSystem, type OpenFile } from '../../src/engine/stores/file-system.ts';
import { namesIn } from './store-suite.ts';

const run = promisify(execFile);

/** The real file system, with some of its calls in a test's hands. */
class FaultyFiles implements FileSystem {
  readonly open: FileSystem['open'] = (path, flags, mode) => this.#tamper(nodeFiles.open(path, flags, mode));
  readonly openObject: FileSystem['openObject'] = (path) => this.#tamper(SYSTEM_FILES.openObject(path));
  readonly unlink = nodeFiles.unlink;
  readonly mkdir = nodeFiles.mkdir;
  readonly stat: FileSystem['stat'] = nodeFiles.stat;
  readonly lstat: FileSystem['lstat'] = nodeFiles.lstat;
  readonly readdir: FileSystem['readdir'] = (path) => nodeFiles.readdir(path);
  opendir: FileSystem['opendir'] = nodeFiles.opendir;
  link: FileSystem['link'] = nodeFiles.link;
  file: Partial<OpenFile> = {};
  /** Once so many bytes of a file were written, writes write nothing more and fail. */
  failAfterBytes = Infinity;

  async #tamper(opening: Promise<OpenFile>): Promise<OpenFile> {
    const handle = await opening;
    let left = this.failAfterBytes;
    return {
      write: async (data, at, length) => {
        const some = Math.min(length, left, 1000);
        left -= some;
        return some === 0 ? fail('EIO') : handle.write(data, at, some);
      },
      read: (into, at, length, position) => handle.read(into, at, length, position),
      stat: () => handle.stat(),
      datasync: () => handle.datasync(),
      sync: () => handle.sync(),
      close: () => handle.close(),
      ...this.file,
    };
  }
}

function fail(errno: string): never {
  throw Object.assign(new Error(errno), { code: errno });
}

describe('a directory whose file system fails', () => {
  let folder: string;
  let files: FaultyFiles;
  let store: DirectoryStore;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-faults-'));
    files = new FaultyFiles();
    store = new DirectoryStore(folder, files);
  });

  afterEach(() => rm(folder, { recursive: true }));

  const nothingIsLeft = async (): Promise<void> => {
    const clean = new DirectoryStore(folder);
    expect(await namesIn(clean, '')).toEqual([]);
    expect(await readdir(join(folder, '.aside'))).toEqual([]);
    expect(await clean.putIfAbsent('a/name', [Buffer.from('again')])).toBe('created');
  };

  test('a write that ends half-way leaves nothing, and the name free', async () => {
    files.failAfterBytes = 2_500;
    const error = await store.putIfAbsent('a/name', [randomBytes(9_000)]).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'VAULT_UNREACHABLE', data: { errno: 'EIO' } });
    // What can't be written is damage of nothing.
    expect(error).not.toHaveProperty('data.object');
    await nothingIsLeft();
  });

  test.each([
    ['EIO', 'VAULT_UNREACHABLE'],
    ['ESTALE', 'VAULT_UNREACHABLE'],
    ['EACCES', 'VAULT_READ_ONLY'],
  ])('a list that ends half-way with %s does not look like a whole one: %s', async (errno, code) => {
    await store.putIfAbsent('a/name', [Buffer.from('x')]);
    files.opendir = async (path) => {
      const entries = await nodeFiles.opendir(path);
      return (async function* broken() {
        yield* entries;
        fail(errno);
      })();
    };
    const error = await namesIn(store, 'a/').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code, data: { errno } });
    expect(error).not.toHaveProperty('data.object');
  });

  test('writes that are done in pieces are put together', async () => {
    const body = randomBytes(12_345);
    await store.putIfAbsent('a/name', [body.subarray(0, 5), body.subarray(5)]);
    expect(Buffer.compare(await store.get('a/name'), body)).toBe(0);
  });

  test.each([
    ['datasync', 'EIO', 'VAULT_UNREACHABLE'],
    ['datasync', 'ENOSPC', 'VAULT_FULL'],
    ['datasync', 'EDQUOT', 'VAULT_FULL'],
    ['write', 'ENOSPC', 'VAULT_FULL'],
    ['write', 'EROFS', 'VAULT_READ_ONLY'],
    ['write', 'ESTALE', 'VAULT_UNREACHABLE'],
  ] as const)('%s that fails with %s abandons the file: %s', async (call, errno, code) => {
    files.file = { [call]: async () => fail(errno) };
    await expect(store.putIfAbsent('a/name', [randomBytes(100)])).rejects.toMatchObject({ code, data: { errno } });
    await nothingIsLeft();
  });

  test('a read that fails is told, and so is one that ends too early', async () => {
    await store.putIfAbsent('a/name', [randomBytes(100)]);
    files.file = { read: async () => fail('EIO') };
    await expect(store.get('a/name')).rejects.toMatchObject({
      code: 'VAULT_UNREACHABLE',
      data: { errno: 'EIO', object: 'a/name' },
    });
    const reading = store.getRange('a/name', 0, new Uint8Array(10));
    await expect(reading).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
    files.file = { read: async () => ({ bytesRead: 0 }) };
    await expect(store.get('a/name')).rejects.toMatchObject({ code: 'VAULT_CORRUPT', data: { object: 'a/name' } });
  });

  test('a flush that fails is told, and its names are synchronised by the next', async () => {
    await store.putIfAbsent('a/name', [Buffer.from('x')]);
    let synced = 0;
    files.file = { sync: async () => fail('EIO') };
    await expect(store.flush()).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE', data: { errno: 'EIO' } });
    files.file = { sync: async () => void (synced += 1) };
    await store.flush();
    expect(synced).toBeGreaterThan(1);
  });

  test('a link whose answer was lost and that is refused when it is sent again has made the name', async () => {
    files.link = async (existing, name) => {
      await nodeFiles.link(existing, name);
      await nodeFiles.link(existing, name);
    };
    expect(await store.putIfAbsent('a/name', [Buffer.from('first')])).toBe('created');
    files.link = nodeFiles.link;
    expect(await store.putIfAbsent('a/name', [Buffer.from('second')])).toBe('exists');
    expect(Buffer.from(await store.get('a/name')).toString()).toBe('first');
  });
});

/** Whether this process may mount: then a full disk and a read-only mount are real ones. */
async function mountOf(folder: string): Promise<string | null> {
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'holdfast-test', folder]);
    return null;
  } catch (error) {
    return String(error);
  }
}

const mountPoint = await mkdtemp(join(tmpdir(), 'holdfast-mount-'));
const refusal = await mountOf(mountPoint);

afterAll(async () => {
  if (refusal === null) {
    await run('umount', ['-l', mountPoint]);
  }
  await rm(mountPoint, { recursive: true });
});

describe.skipIf(refusal !== null)('a directory on a file system of its own (needs permission to mount)', () => {
  let store: Store;

  beforeAll(() => {
    store = new DirectoryStore(mountPoint);
  });

  afterEach(async () => {
    await run('mount', ['-o', 'remount,rw', mountPoint]);
    for (const name of await namesIn(store, '')) {
      await store.delete(name);
    }
  });

  test('a full disk is a full vault, what did not fit leaves nothing, and there is room for what does', async () => {
    const body = randomBytes(700 * 1024);
    expect(await store.putIfAbsent('a/1', [body])).toBe('created');
    expect(await store.putIfAbsent('a/2', [body])).toBe('created');
    await expect(store.putIfAbsent('a/3', [body])).rejects.toMatchObject({
      code: 'VAULT_FULL',
      data: { errno: 'ENOSPC' },
    });
    expect(await namesIn(store, '')).toEqual(['a/1', 'a/2']);
    expect(await readdir(join(mountPoint, '.aside'))).toEqual([]);
    await store.delete('a/1');
    expect(await store.putIfAbsent('a/3', [body])).toBe('created');
    expect(Buffer.compare(await store.get('a/3'), body)).toBe(0);
  });

  test('a disk without room for one more name is full too', async () => {
    await run('mount', ['-o', 'remount,nr_inodes=12', mountPoint]);
    const putting = (async () => {
      for (let i = 0; i < 20; i += 1) {
        await store.putIfAbsent(`sessions/${i}`, [Buffer.from('x')]);
      }
    })();
    await expect(putting).rejects.toMatchObject({ code: 'VAULT_FULL' });
  });

  test('a mount that became read-only can be read, and every change is refused', async () => {
    await store.putIfAbsent('a/name', [Buffer.from('x')]);
    await store.flush();
    await run('mount', ['-o', 'remount,ro', mountPoint]);
    const readOnly = { code: 'VAULT_READ_ONLY', data: { errno: 'EROFS' } };
    await expect(store.putIfAbsent('a/other', [Buffer.from('y')])).rejects.toMatchObject(readOnly);
    await expect(store.putIfAbsent('b/other', [Buffer.from('y')])).rejects.toMatchObject(readOnly);
    await expect(store.delete('a/name')).rejects.toMatchObject(readOnly);
    expect(await namesIn(store, '')).toEqual(['a/name']);
    expect(Buffer.from(await store.get('a/name')).toString()).toBe('x');
    expect(await store.head('a/other')).toBe(null);
  });
});

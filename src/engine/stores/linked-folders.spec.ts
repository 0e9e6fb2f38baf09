import { mkdir, mkdtemp, readdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DirectoryStore } from './directory-store.ts';

const BODY = [Buffer.from('x')];
const ID = 'ab'.repeat(16);
/** After every file of a test was written. */
const NOW = 8_640_000_000_000_000;
const OLD = `data/ab/${ID}`;

let folder: string;
let outside: string;
let store: DirectoryStore;

beforeEach(async () => {
  const place = await mkdtemp(join(tmpdir(), 'holdfast-links-'));
  folder = join(place, 'vault');
  outside = join(place, 'outside');
  await mkdir(folder);
  store = new DirectoryStore(folder);
  await new DirectoryStore(folder).putIfAbsent(OLD, BODY);
});

afterEach(() => rm(join(folder, '..'), { recursive: true }));

const linkAt = async (name: string): Promise<void> => {
  await rename(join(folder, name), outside);
  await symlink(outside, join(folder, name));
};

async function namesIn(of: DirectoryStore, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of of.list(prefix)) {
    names.push(name);
  }
  return names.toSorted();
}

const refusalOf = (link: string): object => ({
  code: 'VAULT_UNREACHABLE',
  message: expect.stringContaining(join(folder, link)) as string,
  data: { directory: folder, link },
});

describe.each(['data', 'data/ab'])('a link in the place of %s', (link) => {
  beforeEach(() => linkAt(link));

  test('is not read through', async () => {
    await expect(store.get(OLD)).rejects.toMatchObject(refusalOf(link));
    await expect(store.getRange(OLD, 0, new Uint8Array(1))).rejects.toMatchObject(refusalOf(link));
    await expect(store.head(OLD)).rejects.toMatchObject(refusalOf(link));
  });

  test.each(['', 'data/', 'data/ab/', 'data/ab/ab'])(
    'is neither listed nor taken for an empty one: %j',
    async (prefix) => {
      await expect(namesIn(store, prefix)).rejects.toMatchObject(refusalOf(link));
    },
  );

  test('is not written through', async () => {
    const before = await readdir(outside, { recursive: true });
    await expect(store.putIfAbsent('data/ab/cd/new', BODY)).rejects.toMatchObject(refusalOf(link));
    await expect(store.putIfAbsent(`data/ab/${'0'.repeat(32)}`, BODY)).rejects.toMatchObject(refusalOf(link));
    expect(await readdir(outside, { recursive: true })).toEqual(before);
  });

  test('is not deleted through', async () => {
    const before = await readdir(outside, { recursive: true });
    await expect(store.delete(OLD)).rejects.toMatchObject(refusalOf(link));
    expect(await readdir(outside, { recursive: true })).toEqual(before);
  });
});

test('a link that came after its folder was used is neither listed nor deleted through', async () => {
  await store.get(OLD);
  await linkAt('data');
  await expect(namesIn(store, 'data/')).rejects.toMatchObject(refusalOf('data'));
  await expect(store.delete(OLD)).rejects.toMatchObject(refusalOf('data'));
  expect(await readdir(join(outside, 'ab'))).toEqual([ID]);
});

test.each(['index/0', 'custody/00000000-0000-4000-8000-000000000000', 'points', 'sessions', 'condemned', 'epoch'])(
  'a list of everything does not pass over a link in the place of %s',
  async (link) => {
    await mkdir(join(folder, link), { recursive: true });
    await linkAt(link);
    await expect(namesIn(store, '')).rejects.toMatchObject(refusalOf(link));
  },
);

test('a link where the vault has no folder is passed over', async () => {
  await mkdir(outside);
  await writeFile(join(outside, 'theirs'), 'x');
  for (const name of ['theirs', 'data/theirs', 'data/ab/theirs', `data/ab/${'0'.repeat(32)}`]) {
    await symlink(outside, join(folder, name));
  }
  await symlink('itself', join(folder, 'data/ab/itself'));
  expect(await namesIn(store, '')).toEqual([OLD]);
});

test('the root itself may be a link', async () => {
  const root = join(folder, '..', 'root');
  await symlink(folder, root);
  const linked = new DirectoryStore(root);
  await linked.putIfAbsent('data/cd/new', BODY);
  expect(await namesIn(linked, 'data/')).toEqual([OLD, 'data/cd/new']);
  await linked.delete(OLD);
  expect(await namesIn(store, '')).toEqual(['data/cd/new']);
});

describe('what is written aside', () => {
  const LEFT = '0123456789abcdef'.repeat(2);

  test('is not written to, nor removed from, where a link leads', async () => {
    await linkAt('.aside');
    await writeFile(join(outside, LEFT), 'x');
    await expect(store.removeLeftovers(NOW, 0)).rejects.toMatchObject(refusalOf('.aside'));
    await expect(store.putIfAbsent('data/ab/new', BODY)).rejects.toMatchObject(refusalOf('.aside'));
    expect(await readdir(outside)).toEqual([LEFT]);
  });

  test('is removed if it is a file that a writer has named', async () => {
    const aside = join(folder, '.aside');
    const file = join(folder, 'file');
    await writeFile(file, 'x');
    await utimes(file, 1, 1);
    await writeFile(join(aside, 'thesis.odt'), 'x');
    await writeFile(join(aside, LEFT), 'x');
    await mkdir(join(aside, '1'.repeat(32)));
    await symlink(file, join(aside, '2'.repeat(32)));
    expect(await store.removeLeftovers(NOW, 0)).toBe(1);
    expect(await readdir(aside)).toEqual(['1'.repeat(32), '2'.repeat(32), 'thesis.odt']);
  });
});

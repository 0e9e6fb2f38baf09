import { spawnSync } from 'node:child_process';
import { constants, mkdirSync, rmSync } from 'node:fs';
import { lstat, open, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KIB } from '../kernel/bytes.ts';
import { restoreDisk } from './vault-tool/restore-disk.ts';
import type { Terminal } from './vault-tool/terminal.ts';
import {
  filesIn,
  flipBit,
  makeSmallVault,
  runTool,
  type Outcome,
  type SmallVault,
} from './vault-tool/testing/small-vault.ts';

/** A block device that stands for a file, where this machine has one to spare and this user may take it. */
const hasLoopDevices = spawnSync('losetup', ['--find']).status === 0;

let world: SmallVault;
/** Found before tests that damage packs, and mend them, change when they were written. */
let endOfRoot: string;

beforeAll(async () => {
  world = await makeSmallVault();
  endOfRoot = await lastPack();
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

function ignore(): void {}

async function restoreRoot(to: string, ...more: string[]): Promise<Outcome> {
  return await runTool(['restore', ...world.places, '--point', world.second, '--disk', 'root', '--to', to, ...more]);
}

/** The pack with the end of the disk: the last one before that of the other disk. */
async function lastPack(): Promise<string> {
  const packs = await Promise.all(
    (await filesIn(world, 'data')).map(async (path) => ({ path, at: (await stat(path, { bigint: true })).mtimeNs })),
  );
  return packs.toSorted((a, b) => (a.at < b.at ? -1 : 1)).at(-2)?.path ?? '';
}

test('a restore that ends half-way goes on where it was', async () => {
  const [to, cursor] = [join(world.folder, 'half.raw'), join(world.folder, 'half.json')];
  const { undo } = await flipBit(endOfRoot, 100);
  // Lanes restore side by side: now and then the damage is met before the first segment is whole.
  let settledBelow = 0;
  for (let tries = 0; tries < 20 && settledBelow === 0; tries += 1) {
    await Promise.all([cursor, `${to}.partial`].map((path) => rm(path, { force: true })));
    expect((await restoreRoot(to, '--resume', cursor)).code).toBe(3);
    ({ settledBelow } = JSON.parse(await readFile(cursor, 'utf8')) as { settledBelow: number });
  }
  await undo();
  expect(settledBelow).toBeGreaterThan(0);
  expect(settledBelow).toBeLessThan(world.root.length);
  // What is marked now shows that it is not written again.
  const partial = await readFile(`${to}.partial`);
  expect(Buffer.compare(partial.subarray(0, 100 * KIB), world.root.subarray(0, 100 * KIB))).toBe(0);
  partial.fill(0xaa, 0, 10);
  await writeFile(`${to}.partial`, partial);

  const other = await restoreRoot(join(world.folder, 'other.raw'), '--resume', cursor);
  expect(other).toMatchObject({ code: 1, err: expect.stringContaining(`to ${resolve(to)}`) });
  const rest = await restoreRoot(to, '--resume', cursor);
  expect(rest).toMatchObject({ code: 0, out: expect.stringContaining('Restored disk root') });
  const wanted = Buffer.from(world.root).fill(0xaa, 0, 10);
  expect(Buffer.compare(await readFile(to), wanted)).toBe(0);
  expect((await readdir(world.folder)).filter((name) => name.startsWith('half'))).toEqual(['half.raw']);
});

test('a cursor without its half-written file, or that is none, is refused', async () => {
  const [to, cursor] = [join(world.folder, 'none.raw'), join(world.folder, 'none.json')];
  const partial = { device: '1', inode: '1', born: '1' };
  const what = { pointId: world.second, diskKey: 'root', to, settledBelow: 256 * KIB, partial };
  await writeFile(cursor, JSON.stringify(what));
  expect(await restoreRoot(to, '--resume', cursor)).toMatchObject({ code: 1, err: expect.stringContaining('Remove') });
  await writeFile(cursor, 'half.raw');
  const refused = await restoreRoot(to, '--resume', cursor);
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('does not say where a restore goes on') });
  const qcow2 = await restoreRoot(to, '--resume', cursor, '--format', 'qcow2');
  expect(qcow2).toMatchObject({ code: 2, err: expect.stringContaining('--resume goes with --format raw') });
});

test('a restore goes on only with the file that it began', async () => {
  const [to, cursor] = [join(world.folder, 'begun.raw'), join(world.folder, 'begun.json')];
  const damaged = await Promise.all((await filesIn(world, 'data')).map((path) => flipBit(path, 100)));
  const ended = await restoreRoot(to, '--resume', cursor);
  expect(ended).toMatchObject({ code: 3, err: expect.stringContaining(`remove ${to}.partial and ${cursor}`) });
  const salvaged = await restoreRoot(to, '--resume', cursor, '--salvage');
  expect(salvaged).toMatchObject({ code: 2, err: expect.stringContaining('leave --resume out') });
  await Promise.all(damaged.map(({ undo }) => undo()));
  const begun = await readFile(cursor, 'utf8');
  await writeFile(cursor, JSON.stringify({ ...(JSON.parse(begun) as object), settledBelow: 1e15 }));
  const beyond = await restoreRoot(to, '--resume', cursor);
  expect(beyond).toMatchObject({ code: 1, err: expect.stringContaining('does not say where a restore goes on') });

  await writeFile(cursor, begun);
  await rm(`${to}.partial`);
  await writeFile(`${to}.partial`, Buffer.alloc(world.root.length, 0xaa));
  const refused = await restoreRoot(to, '--resume', cursor);
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('is not the file that the restore') });
  await Promise.all([cursor, `${to}.partial`].map((path) => rm(path)));
  expect(await restoreRoot(to, '--resume', cursor)).toMatchObject({ code: 0 });
  expect((await readFile(to)).equals(world.root)).toBe(true);
});

test.each(['', '.partial'])('what is restored and what remembers it are two files: to%s', async (end) => {
  const to = join(world.folder, 'one.raw');
  await symlink(world.folder, join(world.folder, 'link')).catch(() => undefined);
  for (const cursor of [`${to}${end}`, join(world.folder, 'link', `one.raw${end}`)]) {
    const refused = await restoreRoot(to, '--resume', cursor, '--force');
    expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining('another file') });
  }
  expect((await readdir(world.folder)).filter((name) => name.startsWith('one'))).toEqual([]);
});

test('where nothing can remember a restore, nothing is left of it', async () => {
  const to = join(world.folder, 'forgotten.raw');
  const refused = await restoreRoot(to, '--resume', join(world.folder, 'nowhere', 'cursor.json'));
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("can't be written: ENOENT") });
  await expect(stat(`${to}.partial`)).rejects.toThrow('ENOENT');
});

test('what ended a restore is told, also where it can’t be remembered any more how far it came', async () => {
  const [to, cursors] = [join(world.folder, 'told.raw'), join(world.folder, 'cursors')];
  const told: string[] = [];
  const terminal: Terminal = {
    print: ignore,
    printText: ignore,
    printJson: ignore,
    tell: (line) => told.push(line),
    progress: () => ({ show: () => rmSync(cursors, { recursive: true, force: true }), end: ignore }),
    counter: () => ({ show: ignore, end: ignore }),
  };
  const { undo } = await flipBit(endOfRoot, 100);
  await using repository = await world.open();
  const restore = async (): Promise<unknown> => {
    mkdirSync(cursors);
    await rm(`${to}.partial`, { force: true });
    const what = { point: world.second, disk: 'root', to, resume: join(cursors, 'told.json'), format: 'raw' } as const;
    const place = {
      vault: world.vault,
      keys: world.keys,
      repository: undefined,
      endpoint: undefined,
      region: undefined,
    };
    const command = { command: 'restore', ...place, ...what, force: false, salvage: false } as const;
    return await restoreDisk(repository, command, terminal, new AbortController().signal).catch(
      (error: unknown) => error,
    );
  };
  // As above: now and then nothing is whole before the damage is met.
  for (let tries = 0; tries < 20 && told.length === 0; tries += 1) {
    rmSync(cursors, { recursive: true, force: true });
    expect(await restore()).toMatchObject({ code: 'VAULT_CORRUPT' });
  }
  await undo();
  expect(told).toEqual([expect.stringContaining("told.json can't be written: ENOENT")]);
});

test('a link that leads nowhere is a file that is there', async () => {
  const to = join(world.folder, 'link.raw');
  await symlink(join(world.folder, 'unmounted', 'disk.raw'), to);
  expect(await restoreRoot(to)).toMatchObject({ code: 1, err: expect.stringContaining('is there already') });
  expect((await lstat(to)).isSymbolicLink()).toBe(true);
  expect((await restoreRoot(to, '--force')).code).toBe(0);
  expect((await readFile(to)).equals(world.root)).toBe(true);
});

test('what lies where a file is to grow is neither replaced nor followed, unless that is meant', async () => {
  const [to, precious] = [join(world.folder, 'grown.raw'), join(world.folder, 'precious')];
  await Promise.all([precious, `${to}.partial`].map((path) => writeFile(path, 'precious')));
  expect(await restoreRoot(to)).toMatchObject({ code: 1, err: expect.stringContaining('--force') });
  expect(await readFile(`${to}.partial`, 'utf8')).toBe('precious');
  await rm(`${to}.partial`);
  await symlink(precious, `${to}.partial`);
  expect((await restoreRoot(to)).code).toBe(1);
  expect((await restoreRoot(to, '--force')).code).toBe(0);
  expect((await readFile(to)).equals(world.root)).toBe(true);
  expect(await readFile(precious, 'utf8')).toBe('precious');
});

test.skipIf(!hasLoopDevices)(
  'a disk is restored onto a block device, holes too, and only if that is meant',
  async () => {
    const backing = join(world.folder, 'device');
    const size = 2048 * KIB;
    await writeFile(backing, Buffer.alloc(size, 0xff));
    const device = spawnSync('losetup', ['--find', '--show', backing], { encoding: 'utf8' }).stdout.trim();
    try {
      expect(await restoreRoot(device)).toMatchObject({ code: 1, err: expect.stringContaining('--force') });
      expect((await restoreRoot(device, '--force', '--format', 'qcow2')).code).toBe(1);
      expect(await restoreRoot(device, '--force')).toMatchObject({ code: 0 });
      spawnSync('losetup', ['--detach', device]);
      const written = await readFile(backing);
      expect(Buffer.compare(written.subarray(0, world.root.length), world.root)).toBe(0);
      expect(written.length).toBe(size);
      expect(written.at(-1)).toBe(0xff);
    } finally {
      spawnSync('losetup', ['--detach', device]);
    }
  },
);

test.skipIf(!hasLoopDevices)('a device that is in use is not written to, whatever is meant', async () => {
  const backing = join(world.folder, 'busy');
  await writeFile(backing, Buffer.alloc(2048 * KIB, 0xff));
  const device = spawnSync('losetup', ['--find', '--show', backing], { encoding: 'utf8' }).stdout.trim();
  try {
    // As a mount takes it: for itself.
    const user = await open(device, constants.O_RDWR | constants.O_EXCL);
    const refused = await restoreRoot(device, '--force');
    await user.close();
    expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining(`${device} is in use`) });
    expect(refused.err).toContain('Unmount it');
    expect((await readFile(backing)).every((byte) => byte === 0xff)).toBe(true);
  } finally {
    spawnSync('losetup', ['--detach', device]);
  }
});

test('nothing is written where the vault or its keys lie, whatever is meant and by whichever name', async () => {
  const { folder, vault, keys, tenantId } = world;
  await symlink(vault, join(folder, 'alias'));
  const [pack = ''] = await filesIn(world, 'data');
  const kek = join(keys, 'tenants', tenantId, 'kek');
  const wanted = await Promise.all([join(vault, 'repo.0'), pack, kek].map((path) => readFile(path)));
  const outputs = [join(vault, 'repo.0'), pack, kek, join(folder, 'alias', 'repo.0'), join(vault, 'new.raw')];
  const before = await readdir(vault, { recursive: true });
  for (const to of outputs) {
    const refused = await restoreRoot(to, '--force');
    expect(refused).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining(`${to} lies in the folder of the`),
    });
  }
  const [to, cursor] = [join(folder, 'outside.raw'), join(vault, 'cursor.json')];
  const refused = await restoreRoot(to, '--resume', cursor);
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('--resume a place outside') });
  const after = await Promise.all([join(vault, 'repo.0'), pack, kek].map((path) => readFile(path)));
  expect(after).toEqual(wanted);
  expect(await readdir(vault, { recursive: true })).toEqual(before);
});

test('a disk of which nothing is whole is told as that, and nothing is written', async () => {
  const to = join(world.folder, 'nothing.raw');
  await writeFile(to, 'precious');
  const damaged = await Promise.all((await filesIn(world, 'meta')).map((path) => flipBit(path, 100)));
  const salvaged = await restoreRoot(to, '--salvage', '--force');
  await Promise.all(damaged.map(({ undo }) => undo()));
  const says = `Nothing of disk root of restore point ${world.second} can be restored: all of its ${world.root.length} bytes are lost.`;
  expect(salvaged).toMatchObject({ code: 3, out: '', err: expect.stringContaining(says) });
  expect(salvaged.err).toContain('list');
  expect(await readFile(to, 'utf8')).toBe('precious');
});

test('an image of zeros is not told as the disk', async () => {
  const to = join(world.folder, 'zeros.raw');
  const [data, away] = [join(world.vault, 'data'), join(world.folder, 'data')];
  await rename(data, away);
  const salvaged = await restoreRoot(to, '--salvage');
  await rename(away, data);
  expect(salvaged).toMatchObject({ code: 3, out: expect.stringContaining('Nothing of disk root could be restored') });
  expect(salvaged.out).not.toContain('Restored');
  expect(salvaged.out).toContain('LOST     bytes 0 to');
  expect((await readFile(to)).equals(Buffer.alloc(world.root.length))).toBe(true);
});

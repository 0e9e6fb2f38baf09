import { execFile, spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { appendFile, mkdir, mkdtemp, readFile, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  beginKeyGeneration,
  createRepository,
  DirectoryStore,
  FileKeyRing,
  MemoryLeases,
  openRepository,
  type ByteRange,
  type OpenRepositoryOptions,
  type Repository,
} from '../../src/engine/index.ts';
import { backup, MemoryDisk, SMALL_PARAMETERS } from '../../src/engine/testing/test-vault.ts';
import { KIB } from '../../src/kernel/bytes.ts';
import { systemClock } from '../../src/kernel/clock.ts';

const READER = join(import.meta.dirname, 'reader.py');
const PACKAGES = 'blake3, cryptography, zstandard';
const run = promisify(execFile);
const { segmentBytes } = SMALL_PARAMETERS;

function findPython(): string | null {
  const candidates = [process.env['HOLDFAST_TEST_PYTHON'], 'python3'].filter((each) => each !== undefined);
  const has = (python: string): boolean => spawnSync(python, ['-c', `import ${PACKAGES}`]).status === 0;
  return candidates.find(has) ?? null;
}

const python = findPython();

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  await writeFile(path, bytes);
}

describe.skipIf(python === null)('the reader in Python (needs blake3, cryptography, zstandard)', () => {
  const ids = { tenantId: randomUUID(), repositoryId: randomUUID() };
  let folder: string;
  let repository: Repository;
  let open: () => Promise<Repository>;
  let common: Pick<OpenRepositoryOptions, 'store' | 'keyRing' | 'clock' | 'tenantId' | 'repositoryId'>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-reader-'));
    await mkdir(join(folder, 'vault'));
    const keyRing = new FileKeyRing(join(folder, 'keys'));
    common = { ...ids, store: new DirectoryStore(join(folder, 'vault')), keyRing, clock: systemClock };
    await createRepository({ ...common, parameters: SMALL_PARAMETERS });
    open = () => openRepository({ ...common, leases: new MemoryLeases(systemClock), workers: 1 });
    repository = await open();
  });

  afterEach(async () => {
    await repository[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const read = async (...command: readonly string[]): Promise<string> => {
    const places = ['--vault', join(folder, 'vault'), '--keys', join(folder, 'keys'), '--tenant', ids.tenantId];
    const { stdout } = await run(python ?? '', [READER, ...places, ...command]);
    return stdout;
  };

  const restore = async (pointId: string, diskKey: string): Promise<Buffer> => {
    const output = join(folder, 'restored');
    await read('restore', pointId, diskKey, output);
    return readFile(output);
  };

  const listed = async (): Promise<string[]> =>
    (await read('list'))
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { pointId: string }).pointId);

  const writeAt = async (name: string, content: Uint8Array): Promise<void> => {
    const path = join(folder, 'vault', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  };

  const somePack = async (): Promise<{ xx: string; pack: string; path: string }> => {
    const data = join(folder, 'vault', 'data');
    const [xx = ''] = await readdir(data);
    const [pack = ''] = await readdir(join(data, xx));
    return { xx, pack, path: join(data, xx, pack) };
  };

  /** Noise, text that compresses, zeros; the second half again what the first was; more than a group of segments. */
  function firstDisk(): Uint8Array {
    const data = new Uint8Array(70 * segmentBytes + 777);
    const half = 35 * segmentBytes;
    data.set(randomBytes(10 * segmentBytes), 0);
    data.set(Buffer.alloc(8 * segmentBytes, 'all work and no play '), 12 * segmentBytes + 4096);
    data.set(data.subarray(0, half), half);
    return data;
  }

  function change(before: Uint8Array, size: number): { after: Uint8Array; changed: ByteRange[] } {
    const after = new Uint8Array(size);
    after.set(before.subarray(0, size));
    const changed = [3 * segmentBytes - 5000, 40 * segmentBytes + 64 * KIB, 66 * segmentBytes].map((offset) => ({
      offset,
      length: 20 * KIB,
    }));
    changed.forEach(({ offset, length }, i) =>
      after.set(i === 1 ? new Uint8Array(length) : randomBytes(length), offset),
    );
    return { after, changed };
  }

  test('restores full and incremental points of a disk that grows and shrinks, each with a key of its own, byte for byte', async () => {
    let data = firstDisk();
    const small = new Uint8Array(randomBytes(5));
    const first = await backup(repository, { disks: { xvda: new MemoryDisk(data), xvdb: new MemoryDisk(small) } });
    const points = [{ pointId: first.summary.pointId, data }];
    for (const size of [data.length, 75 * segmentBytes, 68 * segmentBytes + 513, 68 * segmentBytes + 513]) {
      const { after, changed } = change(data, size);
      const base = { pointId: points.at(-1)?.pointId ?? '', changed };
      const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(after) }, base });
      points.push({ pointId: summary.pointId, data: after });
      data = after;
      await beginKeyGeneration(common);
    }
    await repository.fence(randomUUID());
    const { summary: gone } = await backup(repository, { disks: { xvdb: new MemoryDisk(small) } });
    await repository.extendRetention(gone.pointId, 1);
    await repository.deletePoint(gone.pointId);
    await repository.placeHold({ pointId: first.summary.pointId, holdId: randomUUID(), reason: 'kept' });
    for (const point of points) {
      expect(Buffer.compare(await restore(point.pointId, 'xvda'), point.data)).toBe(0);
    }
    expect(Buffer.compare(await restore(first.summary.pointId, 'xvdb'), small)).toBe(0);
    await expect(restore(gone.pointId, 'xvdb')).rejects.toMatchObject({ code: 1 });
    expect((await listed()).toSorted()).toEqual(points.map(({ pointId }) => pointId).toSorted());
  });

  test('finds chunks by their digests where their pack is gone', async () => {
    const data = firstDisk();
    const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
    const [xx = ''] = await readdir(join(folder, 'vault', 'data'));
    await rm(join(folder, 'vault', 'data', xx), { recursive: true });
    await expect(restore(summary.pointId, 'xvda')).rejects.toMatchObject({ code: 1 });
    await using writer = await open();
    await backup(writer, { disks: { xvda: new MemoryDisk(data) } });
    expect(Buffer.compare(await restore(summary.pointId, 'xvda'), data)).toBe(0);
  });

  test('follows the keys through rotations at every level, and finds none once they are destroyed', async () => {
    const data = new Uint8Array(randomBytes(5000));
    const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
    const ring = new FileKeyRing(join(folder, 'keys'));
    for (let i = 0; i < 2; i += 1) {
      await ring.rotateKeyEncryptionKey(ids.tenantId);
      await ring.rotateMasterKey(ids.tenantId);
      expect(Buffer.compare(await restore(summary.pointId, 'xvda'), data)).toBe(0);
    }
    await ring.destroyTenantKeys(ids.tenantId);
    await expect(restore(summary.pointId, 'xvda')).rejects.toMatchObject({
      stderr: expect.stringContaining('were destroyed') as string,
    });
  });

  test('gives nothing out that was changed', async () => {
    const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(firstDisk()) } });
    const { xx, pack, path } = await somePack();
    await flip(path, 200);
    await expect(restore(summary.pointId, 'xvda')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`data/${xx}/${pack} does not open at 0`) as string,
    });
  });

  test('takes a chunk whose frame is damaged from another pack, past index segments that don’t open', async () => {
    const data = firstDisk();
    const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
    const { path } = await somePack();
    await flip(path, 200);
    await rename(path, join(folder, 'aside'));
    await using writer = await open();
    await backup(writer, { disks: { xvda: new MemoryDisk(data) } });
    await rename(join(folder, 'aside'), path);
    await writeFile(join(folder, 'vault', 'index', '0', 'f'.repeat(32)), randomBytes(1000));
    expect(Buffer.compare(await restore(summary.pointId, 'xvda'), data)).toBe(0);
  });

  test('passes over numbers of condemned packs that don’t open or are missing', async () => {
    const data = firstDisk();
    const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
    await writeAt('condemned/7', randomBytes(1000));
    expect(Buffer.compare(await restore(summary.pointId, 'xvda'), data)).toBe(0);
    const area = join(folder, 'vault', 'data');
    const packs = (await readdir(area, { recursive: true })).filter((name) => name.length > 32).slice(0, 3);
    for (const path of packs.map((name) => join(area, name))) {
      await flip(path, 200);
      const { condemnedPacks } = await repository.verify({ level: 1, condemn: true });
      expect(condemnedPacks).toHaveLength(1);
      await flip(path, 200);
    }
    expect((await readdir(join(folder, 'vault', 'condemned'))).toSorted()).toEqual(['1', '2', '3', '7']);
    await rm(join(folder, 'vault', 'condemned', '1'));
    await flip(join(folder, 'vault', 'condemned', '2'), 100);
    expect(Buffer.compare(await restore(summary.pointId, 'xvda'), data)).toBe(0);
  });

  test.each([
    ['missing', (path: string) => rm(path)],
    ['damaged', (path: string) => flip(path, 100)],
  ])('has a point of whose custody an entry is %s', async (_, spoil) => {
    const disk = new Uint8Array(randomBytes(5000));
    const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(disk) } });
    const { summary: gone } = await backup(repository, { disks: { xvda: new MemoryDisk(disk) } });
    for (const { pointId } of [summary, gone]) {
      await repository.extendRetention(pointId, 1);
      await repository.extendRetention(pointId, 2);
    }
    await repository.deletePoint(gone.pointId);
    for (const { pointId } of [summary, gone]) {
      await spoil(join(folder, 'vault', 'custody', pointId, '1'));
    }
    expect(await restore(summary.pointId, 'xvda')).toEqual(Buffer.from(disk));
    expect(await listed()).toEqual([summary.pointId]);
  });

  test('lists points beside junk in the place of custody, and beside one that is damaged itself', async () => {
    const disks = { xvda: new MemoryDisk(new Uint8Array(randomBytes(5000))) };
    const { summary: first } = await backup(repository, { disks });
    const { summary: second } = await backup(repository, { disks });
    await repository.extendRetention(first.pointId, 1);
    const custody = join(folder, 'vault', 'custody', first.pointId);
    // Opens, but for its length: more than any machine has memory for.
    const entry = await readFile(join(custody, '1'));
    await writeAt(`custody/${first.pointId}/2`, entry.subarray(0, 64));
    await truncate(join(custody, '2'), 2 ** 42);
    await appendFile(join(custody, '2'), entry.subarray(64));
    await writeAt(`custody/${first.pointId}/5000`, randomBytes(300));
    await writeAt(`custody/${second.pointId}/1`, randomBytes(300));
    expect(await restore(first.pointId, 'xvda')).toEqual(Buffer.from(disks.xvda.data));
    expect((await listed()).toSorted()).toEqual([first.pointId, second.pointId].toSorted());
    await flip(join(folder, 'vault', 'points', second.pointId), 100);
    await expect(read('list')).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining(first.pointId) as string,
      stderr: expect.stringContaining(second.pointId) as string,
    });
  });

  test('takes the older form of a key whose newest does not open', async () => {
    const disk = new Uint8Array(randomBytes(5000));
    const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(disk) } });
    const keys = join(folder, 'keys', ids.tenantId);
    await writeFile(join(keys, 'kek.1'), randomBytes(32));
    await writeFile(join(keys, 'master.0.1'), Buffer.concat([Buffer.of(1), randomBytes(60)]));
    await writeFile(join(keys, 'master.0.2'), randomBytes(61));
    await using other = await open();
    expect((await other.readPoint(summary.pointId)).summary.pointId).toBe(summary.pointId);
    expect(await restore(summary.pointId, 'xvda')).toEqual(Buffer.from(disk));
  });
});

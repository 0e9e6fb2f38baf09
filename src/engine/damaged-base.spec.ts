import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../kernel/bytes.ts';
import { SEGMENTS_PER_GROUP } from './manifest/manifest-reader.ts';
import { BadSectors } from './testing/bad-sectors.ts';
import {
  backup,
  createTestVault,
  MemoryDisk,
  restore,
  sameBytes,
  SMALL_PARAMETERS,
  type TestVault,
} from './testing/test-vault.ts';
import type { Repository } from './repository.ts';

const SIZE = 520 * KIB;
const CHANGED = { offset: 200 * KIB, length: 4 * KIB };

let vault: TestVault;
let repository: Repository;
let before: Uint8Array;
let after: Uint8Array;
let base: string;

beforeEach(async () => {
  vault = await createTestVault();
  await using first = await vault.open(undefined, 1);
  before = new Uint8Array(randomBytes(SIZE));
  after = before.slice();
  after.fill(7, CHANGED.offset, CHANGED.offset + CHANGED.length);
  base = (await backup(first, { disks: { xvda: new MemoryDisk(before) } })).summary.pointId;
  repository = await vault.open(undefined, 1);
});

afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  await vault[Symbol.asyncDispose]();
});

function nameOf(prefix: string): string {
  return [...vault.objects.keys()].find((name) => name.startsWith(prefix)) ?? '';
}

function flip(name: string, at: number): void {
  const data = vault.objects.get(name)?.slice() ?? new Uint8Array(0);
  data[at] = (data[at] ?? 0) ^ 1;
  vault.objects.set(name, data);
}

function cut(name: string): void {
  vault.objects.set(name, vault.objects.get(name)?.slice(0, -5) ?? new Uint8Array(0));
}

const DAMAGES: readonly (readonly [string, () => void])[] = [
  ['a manifest that is missing', () => vault.objects.delete(nameOf('meta/'))],
  ['a manifest that is cut short', () => cut(nameOf('meta/'))],
  ['a manifest whose records are damaged', () => flip(nameOf('meta/'), 80)],
  ['a damaged restore point', () => flip(nameOf('points/'), 80)],
];

test.each(DAMAGES)('an incremental on %s reads the disk in full, and says why', async (_, damage) => {
  damage();
  const disk = new MemoryDisk(after);
  const run = await backup(repository, { disks: { xvda: disk }, base: { pointId: base, changed: [CHANGED] } });
  expect(run.disks[0]?.fellBackToFull).toBe('BASE_DAMAGED');
  expect(run.disks[0]?.bytesChanged).toBe(SIZE);
  expect(disk.bytesRead).toBeGreaterThanOrEqual(SIZE);
  await using fresh = await vault.open(undefined, 1);
  expect(sameBytes(await restore(fresh, run.summary.pointId, 'xvda'), after)).toBe(true);
  const next = { pointId: run.summary.pointId, changed: [] };
  const { disks } = await backup(fresh, { disks: { xvda: new MemoryDisk(after) }, base: next });
  expect(disks[0]?.fellBackToFull).toBeUndefined();
});

test.each(['points/', 'meta/'])(
  'an incremental on a base with a bad sector below %s reads the disk in full',
  async (prefix) => {
    await using reading = await vault.open((store) => {
      const sectors = new BadSectors(store);
      sectors.at.set(nameOf(prefix), 0);
      return sectors;
    }, 1);
    const changed = [CHANGED];
    const retainUntil = 1;
    const run = await backup(reading, {
      disks: { xvda: new MemoryDisk(after) },
      base: { pointId: base, changed },
      retainUntil,
    });
    expect(run.disks[0]?.fellBackToFull).toBe('BASE_DAMAGED');
    expect(sameBytes(await restore(reading, run.summary.pointId, 'xvda'), after)).toBe(true);
  },
);

test('a base is damaged too where nothing of what is damaged has changed', async () => {
  const { segmentBytes } = SMALL_PARAMETERS;
  const disk = new Uint8Array(2 * SEGMENTS_PER_GROUP * segmentBytes);
  const half = disk.length / 2;
  disk.set(randomBytes(segmentBytes), half);
  const full = await backup(repository, { disks: { xvda: new MemoryDisk(disk) } });
  const known = new Set(vault.objects.keys());
  disk.set(randomBytes(4 * KIB));
  const delta = await backup(repository, {
    disks: { xvda: new MemoryDisk(disk) },
    base: { pointId: full.summary.pointId, changed: [{ offset: 0, length: 4 * KIB }] },
  });
  const added = [...vault.objects.keys()].filter((name) => name.startsWith('meta/') && !known.has(name));
  expect(added).toHaveLength(1);
  vault.objects.delete(added[0] ?? '');
  disk.set(randomBytes(4 * KIB), half);
  await using fresh = await vault.open(undefined, 1);
  const run = await backup(fresh, {
    disks: { xvda: new MemoryDisk(disk) },
    base: { pointId: delta.summary.pointId, changed: [{ offset: half, length: 4 * KIB }] },
  });
  expect(run.disks[0]?.fellBackToFull).toBe('BASE_DAMAGED');
  expect(sameBytes(await restore(fresh, run.summary.pointId, 'xvda'), disk)).toBe(true);
});

test('what is unchanged and damaged in the vault is read from the source', async () => {
  for (const name of [...vault.objects.keys()].filter((each) => each.startsWith('data/'))) {
    const end = (vault.objects.get(name)?.length ?? 0) - 4 * KIB;
    for (let at = 200; at < end; at += KIB) {
      flip(name, at);
    }
  }
  const run = await backup(repository, {
    disks: { xvda: new MemoryDisk(after) },
    base: { pointId: base, changed: [CHANGED] },
    unchangedFrom: 'vault',
  });
  expect(run.disks[0]?.fellBackToFull).toBeUndefined();
  expect(run.disks[0]?.chunksNew).toBeGreaterThan(0);
});

test('a source that fails is no damaged base', async () => {
  const disk = new MemoryDisk(after);
  disk.read = () => Promise.reject(new Error('the source is gone'));
  const run = backup(repository, { disks: { xvda: disk }, base: { pointId: base, changed: [CHANGED] } });
  await expect(run).rejects.toThrow('the source is gone');
});

import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { AppError } from '../../kernel/errors.ts';
import { packName } from '../format/names.ts';
import { alterStore } from '../testing/alter-store.ts';
import type { Store } from '../ports/store.ts';
import {
  backup,
  createTestVault,
  MemoryDisk,
  restore,
  sameBytes,
  SMALL_PARAMETERS,
  type TestVault,
} from '../testing/test-vault.ts';
import type { ByteRange } from '../ports/block-io.ts';
import type { ManifestLayer } from '../manifest/manifest-types.ts';
import type { Repository } from '../repository.ts';
import type { RepairResult } from './repair-types.ts';

// Lanes without threads: what is damaged is the store's, and threads take their time to start.
vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'));

/** Two groups of segments, so that one can be hit and the other not. */
const SIZE = 70 * SMALL_PARAMETERS.segmentBytes;
const STEP = SMALL_PARAMETERS.segmentBytes;
const HEADER = 64;

interface Version {
  readonly pointId: string;
  readonly data: Uint8Array;
  readonly layers: readonly ManifestLayer[];
}

let vault: TestVault;
let repository: Repository;
let versions: Version[];

beforeEach(async () => {
  vault = await createTestVault();
  repository = await vault.open((same) => same, 1);
  const data = new Uint8Array(SIZE);
  for (let at = 0; at < SIZE; at += STEP) {
    data.set(randomBytes(9 * KIB), at);
  }
  versions = [];
  await add(data, null);
});

afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  await vault[Symbol.asyncDispose]();
});

async function add(data: Uint8Array, changed: readonly ByteRange[] | null): Promise<void> {
  const { pointId } = versions.at(-1) ?? { pointId: '' };
  const base = changed === null ? {} : { base: { pointId, changed } };
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) }, ...base });
  const { disks } = await repository.readPoint(summary.pointId);
  versions.push({ pointId: summary.pointId, data, layers: disks[0]?.layers ?? [] });
}

async function change(ranges: readonly ByteRange[]): Promise<void> {
  const after = versions.at(-1)?.data.slice() ?? new Uint8Array(0);
  ranges.forEach(({ offset, length }) => after.set(randomBytes(length), offset));
  await add(after, ranges);
}

/** Small changes in both groups until layers were folded. */
async function changeUntilFolded(kind: ManifestLayer['kind'], ranges: readonly ByteRange[]): Promise<ManifestLayer> {
  for (let run = 0; run < 40; run += 1) {
    await change(ranges.map(({ offset, length }) => ({ offset: offset + (run % 5) * STEP, length })));
    const [before = [], now = []] = versions.slice(-2).map(({ layers }) => layers);
    const folded = now.find((layer, i) => layer.kind === kind && layer.packs[0]?.id !== before[i]?.packs[0]?.id);
    if (folded !== undefined && now.length <= before.length) {
      return folded;
    }
  }
  throw new Error(`no ${kind} was folded`);
}

const BOTH_GROUPS = [
  { offset: 3 * STEP, length: 8 * KIB },
  { offset: 64 * STEP - 8 * KIB, length: 16 * KIB },
];
/** More in each run than a checkpoint has. */
const MUCH = Array.from({ length: 60 }, (_, i) => ({ offset: i * STEP, length: 9 * KIB }));

function nameOf({ packs }: ManifestLayer, at = 0): string {
  return packName('meta', packs[at]?.id ?? '');
}

function flip(name: string, at: number): void {
  const data = vault.objects.get(name)?.slice() ?? new Uint8Array(0);
  const place = at < 0 ? data.length + at : at;
  data[place] = (data[place] ?? 0) ^ 4;
  vault.objects.set(name, data);
}

const DAMAGES: Readonly<Record<string, (name: string) => void>> = {
  'is missing': (name) => vault.objects.delete(name),
  'is cut short': (name) => vault.objects.set(name, vault.objects.get(name)?.slice(0, -9) ?? new Uint8Array(0)),
  'has a damaged frame': (name) => flip(name, HEADER + 3),
  'has a damaged table': (name) => flip(name, -100),
  'has another hash': (name) => flip(name, -1),
};

async function repair(wrap: (store: Store) => Store = (same) => same): Promise<RepairResult> {
  await using fresh = await vault.open(wrap, 1);
  return await fresh.repair({ index: 'damaged' });
}

async function expectAllRestore(): Promise<void> {
  await using fresh = await vault.open((same) => same, 1);
  for (const { pointId, data } of versions) {
    expect(sameBytes(await restore(fresh, pointId, 'xvda'), data)).toBe(true);
  }
}

function metaNames(): string[] {
  return [...vault.objects.keys()].filter((name) => name.startsWith('meta/')).toSorted();
}

test.each(Object.keys(DAMAGES))('a folded delta that %s is derived from the deltas of older points', async (how) => {
  const name = nameOf(await changeUntilFolded('delta', BOTH_GROUPS));
  const before = metaNames();
  DAMAGES[how]?.(name);
  const repaired = await repair();
  expect(repaired).toMatchObject({ derivedManifests: [name], lockedManifests: [] });
  expect(repaired.verified).toMatchObject({ damagedObjects: [], damagedPoints: [] });
  expect(metaNames()).toEqual(before);
  await expectAllRestore();
  const again = await repair();
  expect(again).toMatchObject({ derivedManifests: [], verified: { damagedObjects: [] } });
});

test.each(Object.keys(DAMAGES))('a folded checkpoint that %s is derived from the one before', async (how) => {
  const folded = await changeUntilFolded('checkpoint', MUCH);
  await change(BOTH_GROUPS);
  const name = nameOf(folded);
  DAMAGES[how]?.(name);
  const repaired = await repair();
  expect(repaired.derivedManifests).toEqual([name]);
  expect(repaired.verified.damagedObjects).toEqual([]);
  await expectAllRestore();
});

test('a frame comes from a later backup of the whole disk that says the same of its group', async () => {
  const [name = ''] = metaNames();
  await change(BOTH_GROUPS.slice(0, 1));
  await add(versions.at(-1)?.data.slice() ?? new Uint8Array(0), null);
  const whole = vault.objects.get(name)?.length ?? 0;
  // The directory and its table come after the frame of the second group, which did not change.
  flip(name, whole - 80 - (16 + 3 * 48) - (16 + 8) - 20);
  expect((await repair()).derivedManifests).toEqual([name]);
  await expectAllRestore();
});

test('what others say no more is lost, named, and left as it is', async () => {
  const name = nameOf(await changeUntilFolded('delta', BOTH_GROUPS));
  await change(BOTH_GROUPS);
  const kept = versions.slice(-2).map(({ pointId }) => pointId);
  for (const { pointId } of versions.slice(0, -2)) {
    await repository.deletePoint(pointId);
  }
  flip(name, HEADER + 3);
  const before = new Map(vault.objects);
  const repaired = await repair();
  expect(repaired).toMatchObject({ derivedManifests: [], lockedManifests: [] });
  expect(repaired.verified.damagedObjects).toMatchObject([{ name }]);
  expect(repaired.verified.damagedPoints.map(({ pointId }) => pointId).toSorted()).toEqual(kept.toSorted());
  expect(vault.objects).toEqual(before);
});

test('what the next point says of a pack proves it, also when the point that wrote it is gone', async () => {
  const name = nameOf(await changeUntilFolded('delta', BOTH_GROUPS));
  await change(BOTH_GROUPS);
  const [written] = versions.splice(-2, 1);
  await repository.deletePoint(written?.pointId ?? '');
  vault.objects.delete(name);
  const repaired = await repair();
  expect(repaired).toMatchObject({ derivedManifests: [name], verified: { damagedPoints: [] } });
  await expectAllRestore();
});

test('a pack that the store keeps is left to it', async () => {
  const name = nameOf(await changeUntilFolded('delta', BOTH_GROUPS));
  flip(name, HEADER + 3);
  const before = metaNames();
  const kept = new AppError('VAULT_RETAINED', `${name} is kept.`);
  const repaired = await repair((store) =>
    refusing(store, (call, of) => (call === 'delete' && of === name ? kept : null)),
  );
  expect(repaired).toMatchObject({ derivedManifests: [], lockedManifests: [name] });
  expect(repaired.verified.damagedObjects).toMatchObject([{ name }]);
  expect(metaNames()).toEqual(before);
});

test('stopped at any request that changes something, it is repeated, and nothing is lost in between', async () => {
  const name = nameOf(await changeUntilFolded('delta', BOTH_GROUPS));
  await change(BOTH_GROUPS);
  const before = metaNames();
  flip(name, HEADER + 3);
  const damaged = new Map(vault.objects);
  const gone = new AppError('VAULT_UNREACHABLE', 'The store is gone.');
  let stop = 0;
  for (let stopped = true; stopped;) {
    vault.objects.clear();
    damaged.forEach((data, each) => vault.objects.set(each, data));
    stop += 1;
    let calls = 0;
    const stopping = (store: Store): Store =>
      refusing(store, () => {
        calls += 1;
        return calls >= stop ? gone : null;
      });
    stopped = await repair(stopping).then(
      () => false,
      (error: unknown) => error === gone,
    );
    // The point that says whose the pack was may go before the next repair comes.
    await using fresh = await vault.open((same) => same, 1);
    await fresh.deletePoint(versions.at(-2)?.pointId ?? '');
    await repair();
    expect((await fresh.verify({ level: 2 })).damagedObjects).toEqual([]);
    expect(metaNames()).toEqual(expect.arrayContaining(before));
    // At most what collection takes away.
    expect(metaNames().length - before.length).toBeLessThanOrEqual(stop === 5 ? 1 : 0);
  }
  expect(stop).toBe(6);
});

describe('where the name of a pack is taken by what is no object, as a directory may have it', () => {
  let name: string;

  beforeEach(async () => {
    name = nameOf(await changeUntilFolded('delta', BOTH_GROUPS));
    vault.objects.delete(name);
  });

  test('a link makes way for what is derived', async () => {
    let isThere = true;
    const unlink = async (): Promise<void> => {
      isThere = false;
    };
    const repaired = await repair((store) => taken(store, name, () => isThere, unlink));
    expect(repaired).toMatchObject({ derivedManifests: [name], verified: { damagedObjects: [] } });
    await expectAllRestore();
  });

  test('a folder stays, and nobody says that the pack is there again', async () => {
    const keep = (): Promise<never> => Promise.reject(new AppError('VAULT_CORRUPT', `${name} is no regular file.`));
    const before = metaNames();
    const repaired = await repair((store) => taken(store, name, () => true, keep));
    expect(repaired).toMatchObject({ derivedManifests: [], lockedManifests: [name] });
    expect(repaired.verified.damagedObjects).toMatchObject([{ name }]);
    expect(metaNames()).toEqual(before);
  });
});

/** A store with something at a name that is neither listed nor found, and keeps others from it. */
function taken(store: Store, odd: string, isThere: () => boolean, unlink: () => Promise<void>): Store {
  return alterStore(store, {
    delete: (name) => (name === odd && isThere() ? unlink() : store.delete(name)),
    putIfAbsent: async (name, ...rest) => (name === odd && isThere() ? 'exists' : store.putIfAbsent(name, ...rest)),
  });
}

type Refuses = (call: 'delete' | 'putIfAbsent', name: string) => AppError | null;

/** A store that does not do what changes it, where it is told so. */
function refusing(store: Store, refuses: Refuses): Store {
  const refuse = async <T>(call: 'delete' | 'putIfAbsent', name: string, work: () => Promise<T>): Promise<T> => {
    const error = refuses(call, name);
    if (error !== null) {
      throw error;
    }
    return work();
  };
  return alterStore(store, {
    delete: (name) => refuse('delete', name, () => store.delete(name)),
    putIfAbsent: (name, ...rest) => refuse('putIfAbsent', name, () => store.putIfAbsent(name, ...rest)),
  });
}

import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { KIB } from '../kernel/bytes.ts';
import { createCollectVault, noise, type CollectVault } from './collect/testing/collect-vault.ts';
import { HEADER_BYTES } from './format/header.ts';
import { BadSectors } from './testing/bad-sectors.ts';
import { restore, sameBytes } from './testing/test-vault.ts';
import type { Repository } from './repository.ts';

// Lanes without threads: what is damaged is the store's, and threads take their time to start.
vi.mock('./worker/lane.ts', () => import('./testing/inline-lane.ts'));

const FORMAT_AT = 8;
const FIRST_BLOCK = HEADER_BYTES + 9;

const data = noise(300 * KIB);

let at: CollectVault;
let sectors: BadSectors;
let deleted: string;

beforeEach(async () => {
  at = await createCollectVault();
  sectors = new BadSectors(at.vault.store);
  await at.store(data);
  deleted = await at.store(noise(200 * KIB));
});

afterEach(async () => {
  await at[Symbol.asyncDispose]();
});

function flip(name: string, place: number): void {
  const bytes = at.vault.objects.get(name)?.slice() ?? new Uint8Array(0);
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  at.vault.objects.set(name, bytes);
}

const DAMAGE = {
  'in a sector that can’t be read': (name: string): void => {
    sectors.at.set(name, FORMAT_AT);
  },
  'of a format that nobody knows': (name: string): void => flip(name, FORMAT_AT),
} as const;

const CASES = ['data/', 'index/'].flatMap((prefix) =>
  Object.entries(DAMAGE).map(([how, damage]) => ({ prefix, how, damage })),
);

test('a damaged block of a large index segment costs deduplication, and no backup', async () => {
  at.named('index/').forEach((name) => flip(name, FIRST_BLOCK));
  await using repository = await at.open({ indexLimits: { wholeBytes: 0 } });
  const before = at.named('data/').length;
  const pointId = await at.store(data, repository);
  expect(at.named('data/').length).toBeGreaterThan(before);
  expect(sameBytes(await restore(repository, pointId, 'xvda'), data)).toBe(true);
});

describe.each(CASES)('one object of $prefix, $how', ({ prefix, damage }) => {
  let name: string;
  let repository: Repository;

  beforeEach(async () => {
    name = at.named(prefix)[0] ?? '';
    damage(name);
    repository = await at.open({ store: sectors });
  });

  afterEach(() => repository[Symbol.asyncDispose]());

  test('does not stop a backup that finds its chunks there', async () => {
    const pointId = await at.store(data, repository);
    expect(sameBytes(await restore(repository, pointId, 'xvda'), data)).toBe(true);
  });

  test('does not stop collection', async () => {
    // What was in a damaged pack is looked for elsewhere.
    await repository.verify({ level: 0, condemn: true });
    await repository.deletePoint(deleted);
    expect((await repository.collect({ graceMs: 0 })).deleted.points).toBe(1);
  });

  test('does not stop repair, which names it', async () => {
    const { removedSegments, verified } = await repository.repair({ index: 'damaged' });
    expect([...removedSegments, ...verified.damagedObjects.map((object) => object.name)]).toEqual([name]);
  });
});

describe.each(['condemned/', 'epoch/'])('one object of %s, in a sector that can’t be read', (prefix) => {
  let repository: Repository;
  let pointId: string;
  let bad: readonly string[];

  beforeEach(async () => {
    await at.repository.raiseEpoch();
    pointId = await at.store(data);
    await at.repository.deletePoint(deleted);
    await at.repository.collect({ graceMs: 0 });
    bad = at.named(prefix).filter((name) => /\d$/.test(name));
    bad.forEach((name) => sectors.at.set(name, FORMAT_AT));
    repository = await at.open({ store: sectors });
  });

  afterEach(() => repository[Symbol.asyncDispose]());

  test('stops no restore and no verification', async () => {
    const sessionId = randomUUID();
    await repository.beginSession({ sessionId, pointId: randomUUID(), purpose: 'restore', pins: [pointId] });
    expect(sameBytes(await restore(repository, pointId, 'xvda'), data)).toBe(true);
    expect((await repository.verify({ level: 2 })).damagedPoints).toEqual([]);
  });

  test('is named by a verification, where writers stop at it', async () => {
    const { damagedObjects } = await repository.verify({ level: 0 });
    expect(damagedObjects).toMatchObject([{ name: bad[0], problem: 'unreadable' }]);
  });

  test('stops every backup: it could rely on what is about to go', async () => {
    await expect(at.store(data, repository)).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
  });
});

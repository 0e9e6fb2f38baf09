import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { BadSectors } from '../testing/bad-sectors.ts';
import { restore, sameBytes } from '../testing/test-vault.ts';
import type { Repository } from '../repository.ts';
import { HEADER } from '../verify/testing/three-points.ts';
import { createCollectVault, noise, type CollectVault } from './testing/collect-vault.ts';

const DAY = 24 * 3_600_000;
const FIRST_FRAME = HEADER + 9;

const data = noise(300 * KIB);

let at: CollectVault;
let sectors: BadSectors;
let repository: Repository;

beforeEach(async () => {
  at = await createCollectVault();
  sectors = new BadSectors(at.vault.store);
  repository = await at.open({ store: sectors });
});

afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  await at[Symbol.asyncDispose]();
});

/** Packs that were not there before. */
async function newPacks(store: () => Promise<string>): Promise<{ pointId: string; packs: string[] }> {
  const before = new Set(at.named('data/'));
  const pointId = await store();
  return { pointId, packs: at.named('data/').filter((name) => !before.has(name)) };
}

test('a sector that can’t be read keeps its pack, and no other', async () => {
  const gone = await newPacks(() => at.store(noise(300 * KIB)));
  const kept = await newPacks(() => at.store(data));
  const [name = ''] = kept.packs;
  await repository.deletePoint(gone.pointId);
  sectors.at.set(name, FIRST_FRAME);
  expect((await repository.verify({ level: 1, condemn: true })).damagedObjects).toMatchObject([{ name }]);
  const result = await repository.collect({ graceMs: 0 });
  expect(result.damagedPacks).toEqual([name.slice(name.lastIndexOf('/') + 1)]);
  expect(result.copied.frames).toBeGreaterThan(0);
  expect(at.named('data/')).toContain(name);
  expect(at.named('data/').filter((each) => gone.packs.includes(each))).toEqual([]);
  sectors.at.clear();
  expect(sameBytes(await restore(repository, kept.pointId, 'xvda'), data)).toBe(true);
});

test.each([
  ['a frame', () => FIRST_FRAME],
  ['a table', (bytes: number) => bytes - 100],
])('where %s can’t be read, another pack that is on its way out is copied from', async (_, place) => {
  const kept = await newPacks(() => at.store(data));
  // Without an index nothing is found again.
  at.named('index/').forEach((name) => at.vault.objects.delete(name));
  await using other = await at.open();
  const twin = await newPacks(() => at.store(data, other));
  expect(twin.packs.length).toBe(kept.packs.length);
  await repository.repair({ index: 'all' });
  await repository.deletePoint(twin.pointId);
  expect((await repository.collect()).condemned.packs).toBe(twin.packs.length);
  kept.packs.forEach((name) => sectors.at.set(name, FIRST_FRAME));
  await repository.verify({ level: 1, condemn: true });
  expect(sameBytes(await restore(repository, kept.pointId, 'xvda'), data)).toBe(true);
  kept.packs.forEach((name) => sectors.at.set(name, place(at.vault.objects.get(name)?.length ?? 0)));
  at.clock.advance(2 * DAY);
  await repository.collect();
  expect(at.named('data/').filter((name) => twin.packs.includes(name))).toEqual([]);
  await using fresh = await at.open({ store: sectors });
  expect(sameBytes(await restore(fresh, kept.pointId, 'xvda'), data)).toBe(true);
});

import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { uuidToObjectId } from '../format/ids.ts';
import { packIdOf } from '../format/names.ts';
import { deriveSecrets } from '../keys/key-schedule.ts';
import { openRepository } from '../open-repository.ts';
import { backUp, createClockedVault, DAY, WINDOW, type ClockedVault } from '../retention/testing/locked-vault.ts';
import { restore, sameBytes } from '../testing/test-vault.ts';
import type { PointSummary } from '../points/point-types.ts';
import { CondemnedLog } from './condemned-log.ts';

/** Less than a pack each. */
const disks = Array.from({ length: 3 }, () => new Uint8Array(randomBytes(60 * KIB)));

let vault: ClockedVault;

beforeEach(async () => {
  vault = await createClockedVault();
});

afterEach(() => vault[Symbol.asyncDispose]());

const dataPacks = (): string[] => vault.names('data/');

/** As if somebody had nominated them before they were locked. */
async function condemn(names: readonly string[]): Promise<void> {
  const { keyRing, tenantId, repositoryId } = vault.options;
  const keys = await keyRing.getRepositoryKeys({ tenantId, repositoryId, generation: 0 });
  const secrets = deriveSecrets(keys, uuidToObjectId(repositoryId, 'repository'), 0);
  const ids = names.map((name) => packIdOf('data', name) ?? '');
  await new CondemnedLog(vault.store, secrets, vault.clock).append('unused', ids);
}

test('a pack that the store keeps for long is not condemned: its space would not come back', async () => {
  const { clock, repository } = vault;
  const [disk = new Uint8Array(0)] = disks;
  const { pointId } = await backUp(repository, { disk, retainUntil: WINDOW - 8 * DAY });
  clock.advance(DAY + 1);
  await repository.deletePoint(pointId);
  const early = await repository.collect({ graceMs: 0 });
  expect(early.condemned.packs).toBe(0);
  // What it holds is found there again, and need not be stored.
  const stored = dataPacks();
  const again = await backUp(repository, { disk });
  expect(dataPacks()).toEqual(stored);
  await repository.deletePoint(again.pointId);

  clock.advance(6 * DAY + DAY / 2);
  expect((await repository.collect()).condemned.packs).toBe(0);
  clock.advance(DAY);
  // The date comes within the time for which what is condemned is left alone.
  expect((await repository.collect()).condemned.packs).toBe(stored.length);
  clock.advance(2 * DAY);
  await repository.collect();
  await repository.collect();
  expect(dataPacks()).toEqual([]);
});

test('what is copied out of locked packs is locked as long, and dates don’t share packs', async () => {
  const { repository, store, options } = vault;
  const dates = [WINDOW + 20 * DAY, undefined, WINDOW + 50 * DAY];
  const points: PointSummary[] = [];
  for (const [i, disk] of disks.entries()) {
    const retainUntil = dates[i];
    points.push(await backUp(repository, retainUntil === undefined ? { disk } : { disk, retainUntil }));
  }
  const old = dataPacks();
  await condemn(old);
  await repository.collect({ graceMs: 0 });
  const copies = dataPacks().filter((name) => !old.includes(name));
  expect(new Set(copies.map((name) => store.locks.get(name)))).toEqual(new Set(dates));
  // Of what was not locked nothing is left.
  expect(old.filter((name) => store.objects.has(name) && !store.locks.has(name))).toEqual([]);

  const unlocked = dataPacks().filter((name) => !store.locks.has(name));
  [...old, ...unlocked].forEach((name) => store.objects.delete(name));
  await using fresh = await openRepository({ ...options, store });
  for (const i of [0, 2]) {
    const restored = await restore(fresh, points[i]?.pointId ?? '', 'xvda');
    expect(sameBytes(restored, disks[i] ?? new Uint8Array(0))).toBe(true);
  }
  const lost = restore(fresh, points[1]?.pointId ?? '', 'xvda');
  await expect(lost).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
});

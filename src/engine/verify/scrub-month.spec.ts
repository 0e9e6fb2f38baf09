import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { isAppError } from '../../kernel/errors.ts';
import { systemClock, type Clock } from '../../kernel/clock.ts';
import { openRepository } from '../open-repository.ts';
import { MemoryLeases } from '../sessions/memory-leases.ts';
import { backup, createTestVault, MemoryDisk, type TestVault } from '../testing/test-vault.ts';
import type { Repository } from '../repository.ts';
import type { PackRecord, VerifyState } from './verify-types.ts';

const DAY = 24 * 3600 * 1000;
const PACE = { periodMs: 30 * DAY, everyMs: DAY };

/** What its caller keeps of a scrub: a file of JSON, in real life. */
class Month {
  now = 20_000 * DAY;
  kept = '{}';
  /** Packs that were read on this day. */
  read: string[] = [];
  readonly clock: Clock = { ...systemClock, now: () => this.now };

  async open({ store, keyRing, tenantId, repositoryId }: TestVault): Promise<Repository> {
    const leases = new MemoryLeases(this.clock);
    return await openRepository({ store, keyRing, leases, clock: this.clock, tenantId, repositoryId, workers: 1 });
  }

  /** False where it was interrupted, after so many packs; what it had done until then is kept. */
  async run(repository: Repository, endAfter: number): Promise<boolean> {
    const packs = JSON.parse(this.kept) as Record<string, PackRecord>;
    const controller = new AbortController();
    let count = 0;
    const onPack = (name: string, record: PackRecord): void => {
      packs[name] = record;
      this.kept = JSON.stringify(packs);
      if (record.level === null) {
        return;
      }
      this.read.push(name);
      count += 1;
      if (count === endAfter) {
        controller.abort();
      }
    };
    const state: VerifyState = { packs: { ...packs } };
    try {
      await repository.verify({ level: 1, scrub: PACE, state, signal: controller.signal, onPack });
      return true;
    } catch (error) {
      if (!isAppError(error, 'CANCELLED')) {
        throw error;
      }
      return false;
    }
  }
}

function sizesOf({ objects }: TestVault, names: readonly string[]): number[] {
  return names.map((name) => objects.get(name)?.length ?? 0);
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, each) => total + each, 0);
}

test('every pack is read within 30 days of the last time, whoever is interrupted, and a day reads its share', async () => {
  await using vault = await createTestVault();
  const month = new Month();
  const lastSeen = new Map<string, number>();
  /** What was read beyond a day's share, in packs, on days on which nothing was interrupted. */
  const overShare: number[] = [];
  await using repository = await month.open(vault);
  const addBackup = async (): Promise<void> => {
    await backup(repository, { disks: { xvda: new MemoryDisk(randomBytes(600 * KIB)) } });
  };
  for (let i = 0; i < 9; i += 1) {
    await addBackup();
  }
  for (let day = 0; day < 62; day += 1, month.now += DAY) {
    if (day % 13 === 5) {
      await addBackup();
    }
    month.read = [];
    for (let attempt = 1; !(await month.run(repository, day % 3 === 0 ? attempt : Infinity)); attempt += 1) {
      month.now += 60_000;
    }
    expect(new Set(month.read).size).toBe(month.read.length);
    const packs = [...vault.objects.keys()].filter((each) => each.startsWith('data/'));
    if (day % 3 !== 0) {
      const sizes = sizesOf(vault, packs);
      overShare.push((sum(sizesOf(vault, month.read)) - sum(sizes) / 30) / Math.max(...sizes));
    }
    for (const name of packs) {
      const since = lastSeen.get(name) ?? month.now;
      expect(month.now - since).toBeLessThanOrEqual(PACE.periodMs);
      lastSeen.set(name, month.read.includes(name) ? month.now : since);
    }
  }
  expect(Math.max(...overShare)).toBeLessThan(1);
});

test('damage that a scrub found is looked at again on every run, before all else', async () => {
  await using vault = await createTestVault();
  const month = new Month();
  await using repository = await month.open(vault);
  await backup(repository, { disks: { xvda: new MemoryDisk(randomBytes(600 * KIB)) } });
  await month.run(repository, Infinity);
  const [name = '', other = ''] = [...vault.objects.keys()].filter((each) => each.startsWith('data/'));
  const state = JSON.parse(month.kept) as Record<string, PackRecord>;
  state[name] = { level: 1, checkedAt: month.now, damaged: true };
  state[other] = { level: 1, checkedAt: month.now - PACE.periodMs, damaged: false };
  month.kept = JSON.stringify(state);
  month.read = [];
  await month.run(repository, Infinity);
  expect(month.read.slice(0, 2)).toEqual([name, other]);
});

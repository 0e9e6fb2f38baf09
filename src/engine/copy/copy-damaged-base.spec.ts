import { randomBytes, randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { packName } from '../format/names.ts';
import { openRepository } from '../open-repository.ts';
import type { Store } from '../ports/store.ts';
import { MemoryLeases } from '../sessions/memory-leases.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes, type TestVault } from '../testing/test-vault.ts';
import type { Repository } from '../repository.ts';
import type { CopyBase } from './copy-types.ts';

// Lanes without threads: what happens is the store's, and threads take their time to start.
vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'));

const SIZE = 400 * KIB;
const first = new Uint8Array(randomBytes(SIZE));
const second = first.slice();
second.set(randomBytes(8 * KIB), 100 * KIB);

let here: TestVault;
let there: TestVault;
/** The first point and its copy. */
let base: CopyBase;
let next: string;

beforeEach(async () => {
  here = await createTestVault();
  there = await createTestVault();
  await using from = await here.open((same) => same, 1);
  await using to = await there.open((same) => same, 1);
  const { pointId } = (await backup(from, { disks: { xvda: new MemoryDisk(first) } })).summary;
  base = { pointId, copyId: randomUUID() };
  await from.copyPoint({ ...base, sessionId: randomUUID(), to });
  const changed = [{ offset: 100 * KIB, length: 8 * KIB }];
  next = (await backup(from, { disks: { xvda: new MemoryDisk(second) }, base: { pointId, changed } })).summary.pointId;
});

afterEach(async () => {
  await Promise.all([here, there].map((vault) => vault[Symbol.asyncDispose]()));
});

function flip(vault: TestVault, name: string): void {
  const data = vault.objects.get(name)?.slice() ?? new Uint8Array(0);
  data[80] = (data[80] ?? 0) ^ 1;
  vault.objects.set(name, data);
}

async function checkpointOf(vault: TestVault, pointId: string): Promise<string> {
  await using repository = await vault.open((same) => same, 1);
  const { disks } = await repository.readPoint(pointId);
  return packName('meta', disks[0]?.layers[0]?.packs[0]?.id ?? '');
}

/** Another backup in full: of its manifest nothing is the base's. */
async function backUpInFull(): Promise<string> {
  await using from = await here.open((same) => same, 1);
  return (await backup(from, { disks: { xvda: new MemoryDisk(second) } })).summary.pointId;
}

const DAMAGES: Readonly<Record<string, () => Promise<void>>> = {
  'whose manifest is damaged': async () => {
    const name = await checkpointOf(here, base.pointId);
    next = await backUpInFull();
    flip(here, name);
  },
  'whose own object is damaged': async () => flip(here, `points/${base.pointId}`),
  'with a copy whose manifest is damaged': async () => flip(there, await checkpointOf(there, base.copyId)),
  'with a copy whose own object is damaged': async () => flip(there, `points/${base.copyId}`),
};

test.each(Object.keys(DAMAGES))('a base %s is done without', async (what) => {
  await DAMAGES[what]?.();
  await using from = await here.open((same) => same, 1);
  await using to = await there.open((same) => same, 1);
  const copyId = randomUUID();
  const { bytesRead } = await from.copyPoint({ pointId: next, copyId, sessionId: randomUUID(), base, to });
  expect(bytesRead).toBeGreaterThanOrEqual(SIZE);
  expect(sameBytes(await restore(to, copyId, 'xvda'), second)).toBe(true);
});

test('a point whose own manifest is damaged is not copied', async () => {
  flip(here, await checkpointOf(here, next));
  await using from = await here.open((same) => same, 1);
  await using to = await there.open((same) => same, 1);
  const copying = from.copyPoint({ pointId: next, copyId: randomUUID(), sessionId: randomUUID(), base, to });
  await expect(copying).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
});

test('while a source takes long to say what changed, the copy is taken for dead on neither side', async () => {
  const clock = new ManualClock();
  const leases = new MemoryLeases(clock);
  const sessionId = randomUUID();
  const name = await checkpointOf(here, base.pointId);
  const alive: boolean[] = [];
  const slow = async (): Promise<void> => {
    for (let minute = 0; minute < 5; minute += 1) {
      clock.advance(60_000);
      await setImmediate();
    }
    for (const { repositoryId } of [here, there]) {
      alive.push(await leases.isAlive({ repositoryId, sessionId }));
    }
  };
  const slowly = (store: Store): Store =>
    new Proxy(store, {
      get: (target, key: keyof Store) => {
        const value = target[key];
        const same: unknown = typeof value === 'function' ? value.bind(target) : value;
        const getRange: Store['getRange'] = async (of, ...rest) => {
          if (of === name && alive.length === 0) {
            await slow();
          }
          await target.getRange(of, ...rest);
        };
        return key === 'getRange' ? getRange : same;
      },
    });
  const open = ({ store, keyRing, tenantId, repositoryId }: TestVault): Promise<Repository> =>
    openRepository({ store: slowly(store), keyRing, tenantId, repositoryId, clock, leases, workers: 1 });
  await using from = await open(here);
  await using to = await open(there);
  await from.copyPoint({ pointId: next, copyId: randomUUID(), sessionId, base, to });
  expect(alive).toEqual([true, true]);
});

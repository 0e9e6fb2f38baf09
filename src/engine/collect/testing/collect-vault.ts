import { randomBytes } from 'node:crypto';
import type { IndexLimits } from '../../index/chunk-index.ts';
import { openRepository } from '../../open-repository.ts';
import type { Store } from '../../ports/store.ts';
import { MemoryLeases } from '../../sessions/memory-leases.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { backup, createTestVault, MemoryDisk, type TestVault } from '../../testing/test-vault.ts';
import type { Repository } from '../../repository.ts';

interface CollectVaultOptions {
  readonly store?: Store;
  readonly clock?: ManualClock;
  readonly indexLimits?: Partial<IndexLimits>;
}

/** A vault in memory, of which the time stands still, and a process that has it open. */
export interface CollectVault extends AsyncDisposable {
  readonly vault: TestVault;
  readonly clock: ManualClock;
  readonly leases: MemoryLeases;
  readonly repository: Repository;
  /** Another process. */
  open(other?: CollectVaultOptions): Promise<Repository>;
  /** A backup of one disk, `xvda`; returns its point. */
  store(data: Uint8Array, by?: Repository): Promise<string>;
  /** Names of objects that begin like this. */
  named(prefix: string): string[];
  /** Of all data packs. */
  packBytes(): number;
}

export async function createCollectVault(): Promise<CollectVault> {
  const vault = await createTestVault();
  const clock = new ManualClock();
  const leases = new MemoryLeases(clock);
  const { objects, keyRing, tenantId, repositoryId } = vault;
  const common = { keyRing, tenantId, repositoryId, leases, workers: 1 };
  const open: CollectVault['open'] = (other) => openRepository({ store: vault.store, clock, ...common, ...other });
  const repository = await open();
  const named = (prefix: string): string[] => [...objects.keys()].filter((name) => name.startsWith(prefix));
  return {
    vault,
    clock,
    leases,
    repository,
    open,
    store: async (data, by = repository) =>
      (await backup(by, { disks: { xvda: new MemoryDisk(data) } })).summary.pointId,
    named,
    packBytes: () => named('data/').reduce((sum, name) => sum + (objects.get(name)?.length ?? 0), 0),
    [Symbol.asyncDispose]: async () => {
      await repository[Symbol.asyncDispose]();
      await vault[Symbol.asyncDispose]();
    },
  };
}

export const noise = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));

import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KIB } from '../../../kernel/bytes.ts';
import { systemClock, type Clock } from '../../../kernel/clock.ts';
import { createRepository } from '../../create-repository.ts';
import { FileKeyRing } from '../../keys/file-key-ring.ts';
import { openRepository } from '../../open-repository.ts';
import { MemoryLeases } from '../../sessions/memory-leases.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { RetainingStore } from '../../testing/retaining-store.ts';
import { MemoryDisk, SMALL_PARAMETERS } from '../../testing/test-vault.ts';
import type { OpenRepositoryOptions } from '../../repository-options.ts';
import type { PointSummary } from '../../points/point-types.ts';
import type { Repository } from '../../repository.ts';
import { endOfWindow } from '../retention-window.ts';

export const DAY = 86_400_000;
/** The first day of a window, some years from now. */
export const WINDOW = endOfWindow(1_900_000_000_000);

export interface LockedVault extends AsyncDisposable {
  readonly store: RetainingStore;
  readonly repository: Repository;
  /** For a vault of the same keys in another store. */
  readonly options: Omit<OpenRepositoryOptions, 'store'>;
  /** Names of objects. */
  names(prefix: string): string[];
}

/** An immutable vault in memory. */
export async function createLockedVault(clock: Clock = systemClock): Promise<LockedVault> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-retention-'));
  const store = new RetainingStore('compliance', clock);
  const ids = { tenantId: randomUUID(), repositoryId: randomUUID() };
  const options = { ...ids, keyRing: new FileKeyRing(folder), clock, leases: new MemoryLeases(clock), workers: 1 };
  await createRepository({ ...options, store, parameters: SMALL_PARAMETERS, immutable: true });
  const repository = await openRepository({ ...options, store });
  return {
    store,
    repository,
    options,
    names: (prefix) => [...store.objects.keys()].filter((name) => name.startsWith(prefix)),
    [Symbol.asyncDispose]: async () => {
      await repository[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

export interface ClockedVault extends LockedVault {
  readonly clock: ManualClock;
}

/** An immutable vault whose clock is set, to so many milliseconds before a window. */
export async function createClockedVault(beforeMs = 9 * DAY): Promise<ClockedVault> {
  const clock = new ManualClock();
  clock.advance(WINDOW - beforeMs - clock.now());
  return { ...(await createLockedVault(clock)), clock };
}

export interface Run {
  readonly retainUntil?: number;
  /** What the session says at its beginning. */
  readonly known?: number;
  readonly base?: string;
  readonly disk?: Uint8Array;
}

export const DISK = new Uint8Array(randomBytes(400 * KIB));

/** From a base the first 20 KiB are what may have changed. */
export async function backUp(
  repository: Repository,
  { retainUntil, known, base, disk = DISK }: Run,
): Promise<PointSummary> {
  const [sessionId, pointId] = [randomUUID(), randomUUID()];
  const pins = base === undefined ? [] : [base];
  const hint = known === undefined ? {} : { retainUntil: known };
  await repository.beginSession({ sessionId, pointId, purpose: 'backup', pins, ...hint });
  const source = { source: new MemoryDisk(disk), sampleBytes: 0 };
  const since = { changed: [{ offset: 0, length: 20 * KIB }] };
  const written = await repository.writeDisk({
    sessionId,
    diskKey: 'xvda',
    sizeBytes: disk.length,
    ...source,
    ...(base === undefined ? {} : { base: { pointId: base, diskKey: 'xvda' }, ...since }),
  });
  const about = { vmId: 'vm', takenAt: 1, config: new Uint8Array(0), info: {} };
  const date = retainUntil === undefined ? {} : { retainUntil };
  const summary = await repository.commitPoint({ sessionId, pointId, disks: [written], ...about, ...date });
  await repository.endSession(sessionId);
  return summary;
}

import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../kernel/clock.ts';
import { KIB } from '../../kernel/bytes.ts';
import { createRepository } from '../create-repository.ts';
import type { IndexLimits } from '../index/chunk-index.ts';
import { FileKeyRing } from '../keys/file-key-ring.ts';
import { openRepository } from '../open-repository.ts';
import type { KeyRing } from '../ports/key-ring.ts';
import type { Store } from '../ports/store.ts';
import { MemoryLeases } from '../sessions/memory-leases.ts';
import { MemoryStore } from './memory-store.ts';
import type { BlockSource, ByteRange } from '../ports/block-io.ts';
import type { ChunkingParameters } from '../repository-options.ts';
import type { PointSummary } from '../points/point-types.ts';
import type { Repository } from '../repository.ts';
import type { DiskResult } from '../write/write-types.ts';

/** Small enough for many segments, packs and chunks in a disk of a few hundred KiB. */
export const SMALL_PARAMETERS: ChunkingParameters = {
  blockBytes: 4 * KIB,
  minChunkBytes: 8 * KIB,
  averageChunkBytes: 16 * KIB,
  maxChunkBytes: 40 * KIB,
  segmentBytes: 128 * KIB,
  packBytes: 112 * KIB,
};

export interface TestVault extends AsyncDisposable {
  readonly store: Store;
  /** What is in the store and survives everybody who opens it. */
  readonly objects: Map<string, Uint8Array>;
  readonly keyRing: KeyRing;
  readonly tenantId: string;
  readonly repositoryId: string;
  /** `wrap` puts something between the engine and the store. */
  open(wrap?: (store: Store) => Store, workers?: number, indexLimits?: Partial<IndexLimits>): Promise<Repository>;
}

/** A repository in memory, with its keys in a folder of its own. */
export async function createTestVault(parameters: ChunkingParameters = SMALL_PARAMETERS): Promise<TestVault> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-vault-'));
  const keyRing = new FileKeyRing(folder);
  const tenantId = randomUUID();
  const repositoryId = randomUUID();
  const store = new MemoryStore();
  const leases = new MemoryLeases(systemClock);
  const ids = { keyRing, clock: systemClock, tenantId, repositoryId };
  await createRepository({ store, ...ids, parameters });
  return {
    store,
    objects: store.objects,
    keyRing,
    tenantId,
    repositoryId,
    open: (wrap = (same) => same, workers = 2, indexLimits = {}) =>
      openRepository({ store: wrap(store), leases, ...ids, workers, indexLimits }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

export function noise(bytes: number): Uint8Array {
  return new Uint8Array(randomBytes(bytes));
}

/** A disk in memory that remembers what was read of it. */
export class MemoryDisk implements BlockSource {
  readonly concurrency = 3;
  readonly reads: ByteRange[] = [];
  readonly data: Uint8Array;

  constructor(data: Uint8Array) {
    this.data = data;
  }

  get bytesRead(): number {
    return this.reads.reduce((sum, { length }) => sum + length, 0);
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    if (offset + into.length > this.data.length) {
      throw new RangeError(`read past the disk's end: ${offset} + ${into.length} of ${this.data.length}`);
    }
    this.reads.push({ offset, length: into.length });
    into.set(this.data.subarray(offset, offset + into.length));
  }
}

export interface BackupRequest {
  readonly disks: Readonly<Record<string, BlockSource & { readonly data: Uint8Array }>>;
  readonly base?: { readonly pointId: string; readonly changed: readonly ByteRange[] };
  readonly unchangedFrom?: 'source' | 'vault';
  readonly sampleBytes?: number;
  readonly sessionId?: string;
  readonly pointId?: string;
  readonly retainUntil?: number;
}

export interface BackupOutcome {
  readonly summary: PointSummary;
  readonly disks: readonly DiskResult[];
}

/** The whole of a backup: session, disks, commit, end. */
export async function backup(repository: Repository, request: BackupRequest): Promise<BackupOutcome> {
  const { sessionId = randomUUID(), pointId = randomUUID(), base } = request;
  const pins = base === undefined ? [] : [base.pointId];
  await repository.beginSession({ sessionId, pointId, purpose: 'backup', pins });
  const disks: DiskResult[] = [];
  for (const [diskKey, source] of Object.entries(request.disks)) {
    const result = await repository.writeDisk({
      sessionId,
      diskKey,
      sizeBytes: source.data.length,
      source,
      unchangedFrom: request.unchangedFrom ?? 'source',
      sampleBytes: request.sampleBytes ?? 0,
      ...(base === undefined ? {} : { base: { pointId: base.pointId, diskKey }, changed: base.changed }),
    });
    disks.push(JSON.parse(JSON.stringify(result)) as DiskResult);
  }
  const config = Buffer.from('the configuration of a machine');
  const commit = { sessionId, pointId, vmId: 'vm-1', takenAt: 1, disks, config, info: { method: 'test' } };
  const { retainUntil } = request;
  const summary = await repository.commitPoint(retainUntil === undefined ? commit : { ...commit, retainUntil });
  await repository.endSession(sessionId);
  return { summary, disks };
}

/** A disk of a restore point, through the parallel path; what is neither written nor a hole stays 0xEE. */
export async function restore(repository: Repository, pointId: string, diskKey: string): Promise<Uint8Array> {
  const point = await repository.readPoint(pointId);
  const size = point.disks.find((disk) => disk.diskKey === diskKey)?.sizeBytes ?? 0;
  const restored = new Uint8Array(size).fill(0xee);
  await repository.restoreDisk({
    pointId,
    diskKey,
    sink: {
      concurrency: 4,
      write: async (offset, data) => {
        restored.set(data, offset);
      },
      hole: async (offset, length) => {
        restored.fill(0, offset, offset + length);
      },
    },
  });
  return restored;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

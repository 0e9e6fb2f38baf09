import type { Clock } from '../kernel/clock.ts';
import type { CondemnedLog } from './collect/condemned-log.ts';
import { DiskGeometry } from './disk-geometry.ts';
import type { ChunkReader } from './restore/chunk-reader.ts';
import type { ChunkIndex } from './index/chunk-index.ts';
import type { KeyGenerations } from './keys/key-generations.ts';
import type { RepositorySecrets } from './keys/key-schedule.ts';
import type { Leases } from './ports/leases.ts';
import type { Store } from './ports/store.ts';
import type { ChunkingParameters } from './repository-options.ts';
import type { LanePool } from './worker/lane-pool.ts';

/** What the operations of an open repository work with. */
export interface RepositoryContext {
  readonly repositoryId: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly leases: Leases;
  readonly secrets: RepositorySecrets;
  /** Keeps `secrets` up to date. */
  readonly generations: KeyGenerations;
  readonly parameters: ChunkingParameters;
  /** Packs that nothing new may refer to. */
  readonly condemned: CondemnedLog;
  readonly index: ChunkIndex;
  readonly chunks: ChunkReader;
  readonly lanes: LanePool;
}

export function geometryOf(context: RepositoryContext, sizeBytes: number): DiskGeometry {
  return new DiskGeometry(sizeBytes, context.parameters);
}

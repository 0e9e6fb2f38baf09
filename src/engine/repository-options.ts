import type { Clock } from '../kernel/clock.ts';
import type { IndexLimits } from './index/chunk-index.ts';
import type { KeyRing } from './ports/key-ring.ts';
import type { Leases } from './ports/leases.ts';
import type { Store } from './ports/store.ts';

/** Fixed when a repository is created, recorded in `repo.<n>`; all in bytes. */
export interface ChunkingParameters {
  readonly blockBytes: number;
  readonly minChunkBytes: number;
  readonly averageChunkBytes: number;
  readonly maxChunkBytes: number;
  readonly segmentBytes: number;
  readonly packBytes: number;
}

export interface CreateRepositoryOptions {
  readonly store: Store;
  readonly keyRing: KeyRing;
  readonly tenantId: string;
  readonly repositoryId: string;
  /** The vault is to be immutable: VAULT_NOT_IMMUTABLE unless the store shows that it keeps what is locked. */
  readonly immutable?: boolean;
  /** 64–128–1024 KiB chunks in 32 MiB segments and 64 MiB packs if absent. */
  readonly parameters?: ChunkingParameters;
}

/** A repository that may be open elsewhere. */
export interface BeginKeyGenerationOptions {
  readonly store: Store;
  readonly keyRing: KeyRing;
  readonly tenantId: string;
  readonly repositoryId: string;
}

export interface OpenRepositoryOptions {
  readonly store: Store;
  readonly keyRing: KeyRing;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly tenantId: string;
  readonly repositoryId: string;
  /**
   * Threads for cutting, hashing, compressing and sealing, at most: no more than `memoryBudgetBytes` has room for. One for
   * each of the machine’s cores if absent; with the default budget and parameters at most two.
   */
  readonly workers?: number;
  /** Upper bound for the buffers of all writes and restores together; 400 MiB if absent. */
  readonly memoryBudgetBytes?: number;
  /** How much of the chunk index may be in memory; absent: what suits every size of vault. */
  readonly indexLimits?: Partial<IndexLimits>;
}

import type { JobInput, JobRef } from './jobs.ts';

export interface InventoryPoolInput extends JobInput {
  readonly poolId: string;
}

export interface PoolJobRef extends JobRef {
  readonly poolId: string;
}

export interface PoolInventoried {
  readonly hosts: number;
  readonly srs: number;
  readonly networks: number;
  readonly vms: number;
}

/** Database alone; control queue. */
export interface PoolControlActivities {
  locatePool(input: PoolJobRef): Promise<{ readonly siteQueue: string }>;
  /** Says on the pool's row why it can't be used. */
  markPoolFailed(input: PoolJobRef & { readonly code: string; readonly message: string }): Promise<void>;
}

/** On the queue of the pool's site. */
export interface PoolSiteActivities {
  /** Finds out what the pool is and can do; pins its hosts' certificates where none are yet. */
  probePool(input: PoolJobRef): Promise<void>;
  /** Brings the catalogue to what the pool has now; what is gone is marked. */
  readInventory(input: PoolJobRef): Promise<PoolInventoried>;
}

import type { CondemnReason } from '../collect/condemned-log.ts';
import type { Hold } from '../points/custody-types.ts';
import type { PointSummary } from '../points/point-types.ts';
import type { SessionSummary } from '../sessions/session-types.ts';

/** A restore point with what keeps it. Times are milliseconds since the epoch. */
export interface CatalogPoint extends PointSummary {
  /** The later of what it was committed with and what it was extended to; 0 if it may go at any time. */
  readonly retainUntil: number;
  readonly holds: readonly Hold[];
}

export interface CatalogCondemned {
  readonly number: number;
  readonly condemnedAt: number;
  readonly reason: CondemnReason;
  /** Names of data packs. */
  readonly packs: readonly string[];
}

export interface CatalogDamage {
  /** Of the object, as in the store. */
  readonly name: string;
  readonly message: string;
}

/** Everything that a control plane caches of a vault, from the store alone; plain JSON. */
export interface Catalog {
  readonly repositoryId: string;
  /** Null where the object that says so is damaged. */
  readonly epoch: number | null;
  readonly storedBytes: number;
  /** Oldest first. */
  readonly points: readonly CatalogPoint[];
  readonly condemned: readonly CatalogCondemned[];
  readonly sessions: readonly SessionSummary[];
  /**
   * Points, their custody, what is condemned, sessions and epochs that can't be read, and points that are lost; a point
   * with damaged custody is among `points`.
   */
  readonly damaged: readonly CatalogDamage[];
}

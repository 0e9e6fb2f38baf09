/** A legal hold: the restore point stays as long as one stands. */
export interface Hold {
  /** The caller's: a UUID. */
  readonly holdId: string;
  readonly placedAt: number;
  /** Why, for whoever finds it; stored encrypted. */
  readonly reason: string;
}

/** What keeps a restore point from being deleted. Times are milliseconds since the epoch. */
export interface PointCustody {
  readonly pointId: string;
  /** The later of what it was committed with and what it was extended to; 0 if it may go at any time. */
  readonly retainUntil: number;
  readonly holds: readonly Hold[];
}

export interface HoldRequest {
  readonly pointId: string;
  readonly holdId: string;
  readonly reason: string;
}

export interface LeaseId {
  readonly repositoryId: string;
  readonly sessionId: string;
}

/**
 * Judges *when* a session is thought dead; the tombstone at its point decides *that* it is.
 * A wrong judgement costs a retry, never data.
 */
export interface Leases {
  /** Begins or renews the lease. */
  beat(lease: LeaseId): Promise<void>;
  /** Whether it was renewed within the time-out. */
  isAlive(lease: LeaseId): Promise<boolean>;
  release(lease: LeaseId): Promise<void>;
}

export const LEASE_HEARTBEAT_MS = 15_000;
export const LEASE_TIMEOUT_MS = 120_000;

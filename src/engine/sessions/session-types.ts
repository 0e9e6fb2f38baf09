export type SessionPurpose = 'backup' | 'restore' | 'verify' | 'copy' | 'collect';

export interface SessionRequest {
  readonly sessionId: string;
  /** The id that the restore point of this session will have; for readers a fresh UUID that never becomes one. */
  readonly pointId: string;
  readonly purpose: SessionPurpose;
  /** Restore points that this session reads. */
  readonly pins: readonly string[];
  /**
   * About when its restore point may be deleted, as far as that is known: where the store can lock, packs are locked from
   * the moment they are there, and need no request at the commit. The commit's date decides, and extends where it is
   * later; what is stored for a session that comes to nothing is kept as long all the same.
   */
  readonly retainUntil?: number;
}

export interface SessionSummary {
  readonly sessionId: string;
  readonly pointId: string;
  readonly purpose: SessionPurpose;
  readonly pins: readonly string[];
  readonly startedAt: number;
}

export interface ListSessionsOptions {
  /** Told of sessions whose object is damaged. Absent: the first one ends the list with an error. */
  readonly onDamaged?: (sessionId: string) => void;
}

/** Durations in milliseconds that both sides must agree on. */
export const TIMING = {
  /** A mover that is silent for so long is thought dead, and another attempt begins; unless the job says otherwise. */
  heartbeatTimeoutMs: 30_000,
  /** A statement or two. */
  controlAttemptMs: 60_000,
  /** Calls to a pool or a vault that move no disk. */
  siteAttemptMs: 30 * 60_000,
  /** One disk. */
  diskAttemptMs: 7 * 24 * 3_600_000,
  longestDelayMs: 60_000,
  /** How long a command waits for a mover of its site before the job gives up. */
  moverAbsentMs: 60 * 60_000,
} as const;

/** Disks of one job that move at the same time. */
export const DISKS_AT_A_TIME = 2;

/** How often a mover reports, and after what time without an answer it stops writing: well before the next attempt. */
export function reportingOf(heartbeatTimeoutMs: number): { readonly everyMs: number; readonly fenceAfterMs: number } {
  return { everyMs: heartbeatTimeoutMs / 6, fenceAfterMs: (heartbeatTimeoutMs * 2) / 3 };
}

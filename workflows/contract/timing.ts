/** Durations in milliseconds that both sides must agree on. */
export const TIMING = {
  /** Sent this often by every site activity. */
  heartbeatEveryMs: 5_000,
  /** A mover that could not report for this long stops writing … */
  fenceAfterMs: 20_000,
  /** … before the server starts another attempt. */
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

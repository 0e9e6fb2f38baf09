const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** When failed deliveries are tried again, in milliseconds: after `firstMs`, then doubling, until `forMs` have passed. */
export interface RetrySchedule {
  readonly firstMs: number;
  readonly forMs: number;
}

const JITTER = 0.2;
const LONGEST_RETRY_AFTER = 24 * HOUR;
const LONGEST_PAUSE = 12 * HOUR;
const MOST_DOUBLINGS = 30;

export interface Failure {
  /** Attempts made so far, this one included. */
  readonly attempts: number;
  /** Since the first attempt was due. */
  readonly elapsedMs: number;
  /** What the receiver asked for with Retry-After. */
  readonly retryAfterMs: number | undefined;
}

/**
 * Milliseconds until the next attempt, or null when the time is used up. `random` is in [0, 1): receivers that were
 * down together are not all called again at one moment.
 */
export function nextPause(schedule: RetrySchedule, failure: Failure, random: number): number | null {
  if (failure.elapsedMs >= schedule.forMs) {
    return null;
  }
  const doubled = Math.min(schedule.firstMs * 2 ** Math.min(failure.attempts - 1, MOST_DOUBLINGS), LONGEST_PAUSE);
  const asked = Math.min(failure.retryAfterMs ?? 0, LONGEST_RETRY_AFTER);
  const pause = Math.max(doubled * (1 + JITTER * random), asked);
  // The last attempt is made as the time ends, however long the pause would have been.
  return Math.round(Math.max(Math.min(pause, schedule.forMs - failure.elapsedMs), asked));
}

/** Reads a Retry-After header: seconds or an HTTP date. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) {
    return undefined;
  }
  const at = /^\d+$/.test(header) ? now + Number(header) * SECOND : Date.parse(header);
  return Number.isFinite(at) ? Math.max(0, at - now) : undefined;
}

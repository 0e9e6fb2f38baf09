import { FEED_CHANNEL } from '../../platform/feed/feed.ts';
import type { RoleDatabase, SqlSession } from '../../platform/feed/sql.ts';
import { Wake } from '../../platform/feed/wake.ts';
import { numberEvents } from './number-events.ts';

export interface RelayOptions {
  /** How often to look for events and progress; not below 200 ms, since every NOTIFY holds up commits for a moment. */
  readonly everyMs: number;
  /** How often a relay that isn't the active one tries to become it. */
  readonly standbyMs?: number;
  readonly batch?: number;
  /** Deliveries may have been queued. */
  readonly onNumbered?: () => void;
  readonly onError?: (error: unknown) => void;
}

/** Any number that nothing else locks: "HFRELAY" in letters of a telephone. */
const RELAY_LOCK = 4_373_529;
const LEAST_EVERY_MS = 200;

/**
 * Numbers events and wakes the feed. One relay at a time is active: it holds an advisory lock on the very connection
 * that it numbers on, so that losing one is losing the other.
 */
export async function runRelay(database: RoleDatabase, options: RelayOptions, signal: AbortSignal): Promise<void> {
  const pause = new Wake();
  while (!signal.aborted) {
    try {
      await runSession(database, options, signal);
    } catch (error) {
      options.onError?.(error);
    }
    await pause.wait(options.standbyMs ?? 1_000, signal);
  }
}

async function runSession(database: RoleDatabase, options: RelayOptions, signal: AbortSignal): Promise<void> {
  const session = await database.session();
  try {
    const [lock] = await session.query<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [RELAY_LOCK]);
    if (lock?.got === true) {
      await relayUntil(session, options, signal);
    }
  } finally {
    await session.close().catch(() => {
      // Already gone, and the lock with it.
    });
  }
}

async function relayUntil(session: SqlSession, options: RelayOptions, signal: AbortSignal): Promise<void> {
  const pause = new Wake();
  const batch = options.batch ?? 500;
  // The relay before this one may have ended between its commit and its NOTIFY: the first round always tells.
  let mark: string | null | undefined;
  while (!signal.aborted) {
    const numbered = await numberAll(session, batch, signal);
    const before = mark;
    mark = await progressMark(session);
    if (numbered > 0) {
      options.onNumbered?.();
    }
    if (numbered > 0 || before === undefined || before !== mark) {
      await session.query(`notify ${FEED_CHANNEL}`);
    }
    await pause.wait(Math.max(options.everyMs, LEAST_EVERY_MS), signal);
  }
}

async function numberAll(session: SqlSession, batch: number, signal: AbortSignal): Promise<number> {
  let total = 0;
  let numbered = batch;
  while (numbered === batch && !signal.aborted) {
    numbered = await numberEvents(session, batch);
    total += numbered;
  }
  return total;
}

async function progressMark(session: SqlSession): Promise<string | null> {
  const [row] = await session.query<{ mark: string | null }>('select app.progress_mark()::text as mark');
  return row?.mark ?? null;
}

import { systemClock, type Clock } from '../../kernel/clock.ts';
import { FEED_CHANNEL, type Feed } from './feed.ts';
import type { RoleDatabase } from './sql.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

export interface ListenOptions {
  readonly clock?: Clock;
  /** Told why the connection could not be had or was lost. */
  readonly onLost?: (error: unknown) => void;
}

/** LISTENs for the feed until the signal is aborted; a lost connection is opened again, and wakes everybody once. */
export async function listen(
  database: RoleDatabase,
  feed: Feed,
  signal: AbortSignal,
  options: ListenOptions = {},
): Promise<void> {
  const clock = options.clock ?? systemClock;
  let pause = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      await listenOnce(database, feed, signal, () => {
        pause = FIRST_PAUSE_MS;
      });
    } catch (error) {
      options.onLost?.(error);
    }
    await clock.sleep(pause, signal).catch(() => {
      // Aborted: the loop ends.
    });
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

async function listenOnce(
  database: RoleDatabase,
  feed: Feed,
  signal: AbortSignal,
  onConnected: () => void,
): Promise<void> {
  const session = await database.session(() => {
    feed.wake();
  });
  try {
    await session.query(`listen ${FEED_CHANNEL}`);
    onConnected();
    // What happened while nobody listened is found by looking once.
    feed.wake();
    await Promise.race([session.closed, aborted(signal)]);
  } finally {
    await session.close().catch(() => {
      // Already gone.
    });
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) {
    await new Promise<void>((resolve) => {
      signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
    });
  }
}

import type { Clock } from '../../kernel/clock.ts';
import type { Sql } from '../../platform/feed/sql.ts';
import { Wake } from '../../platform/feed/wake.ts';

export interface SweeperOptions {
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

export interface Swept {
  readonly events: number;
  readonly deliveries: number;
  readonly idempotencyKeys: number;
}

/** For so long events may be pulled, and deliveries looked up and sent again. */
const KEPT_MS = 90 * 86_400_000;
const EVERY_MS = 600_000;
/** Rows of each kind in one transaction. */
const BATCH = 5_000;

/** Removes what is kept no longer, for all tenants; from time to time, until the signal is aborted. */
export async function runSweeper(sql: Sql, options: SweeperOptions, signal: AbortSignal): Promise<void> {
  const pause = new Wake();
  while (!signal.aborted) {
    try {
      await sweep(sql, options.clock, signal);
    } catch (error) {
      options.onError(error);
    }
    await pause.wait(EVERY_MS, signal);
  }
}

/** One round: batch by batch, so that nobody else waits for long. */
export async function sweep(sql: Sql, clock: Clock, signal: AbortSignal, batch = BATCH): Promise<Swept> {
  const before = new Date(clock.now() - KEPT_MS);
  let swept: Swept = { events: 0, deliveries: 0, idempotencyKeys: 0 };
  for (;;) {
    const [row] = await sql.query<Record<keyof Swept, string>>(
      'select events, deliveries, idempotency_keys as "idempotencyKeys" from app.sweep($1, $2)',
      [before, batch],
    );
    const counts = [row?.events, row?.deliveries, row?.idempotencyKeys].map(Number);
    const [events = 0, deliveries = 0, idempotencyKeys = 0] = counts;
    swept = {
      events: swept.events + events,
      deliveries: swept.deliveries + deliveries,
      idempotencyKeys: swept.idempotencyKeys + idempotencyKeys,
    };
    if (signal.aborted || Math.max(...counts) < batch) {
      return swept;
    }
  }
}

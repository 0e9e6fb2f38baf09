import { isAppError } from '../../kernel/errors.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { TenantId } from '../../kernel/ids.ts';
import type { RoleDatabase } from '../../platform/feed/sql.ts';
import type { UsageCloserService } from './usage-closer.service.ts';
import type { Counter } from './meters.ts';
import { closableUntil, firstStart, windowFrom } from './usage-windows.ts';

/** What every round over the tenants needs. */
export interface Round {
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

export interface UsageClosingOptions extends Round {
  readonly windowMs: number;
  /** How long after its end a window waits for what comes late. */
  readonly graceMs: number;
}

interface OpenTenant {
  readonly tenantId: TenantId;
  readonly closedUntil: Date | null;
  readonly since: Date;
}

interface LateUsage {
  readonly tenantId: TenantId;
  readonly meter: Counter;
  readonly start: Date;
  readonly end: Date;
}

/** Of one tenant at a time: one that has been closed for a year must not hold up all others. */
const MOST_WINDOWS = 100;
const MOST_CORRECTIONS = 500;
/** Usage that is written longer after a window than this stays uncorrected. */
const LATE_FOR_MS = 35 * 86_400_000;

export interface Closed {
  readonly windows: number;
  readonly corrections: number;
}

/** One round over all tenants: closes what may be closed, corrects what came late. A tenant that fails waits for the next round. */
export async function closeUsage(
  database: RoleDatabase,
  closer: UsageCloserService,
  options: UsageClosingOptions,
): Promise<Closed> {
  const until = closableUntil(options.clock.now(), options.windowMs, options.graceMs);
  const open = await database.query<OpenTenant>(
    `select tenant_id as "tenantId", closed_until as "closedUntil", since from app.tenants_with_open_windows($1)`,
    [until],
  );
  let windows = 0;
  for (const tenant of open) {
    windows += await guarded(options, async () => await closeTenant(closer, tenant, until, options.windowMs));
  }
  const late = await database.query<LateUsage>(
    `select tenant_id as "tenantId", meter, window_start as start, window_end as "end" from app.late_usage($1, $2)`,
    [new Date(options.clock.now() - LATE_FOR_MS), MOST_CORRECTIONS],
  );
  let corrections = 0;
  for (const { tenantId, meter, ...window } of late) {
    corrections += await guarded(options, async () => Number(await closer.correctWindow(tenantId, meter, window)));
  }
  return { windows, corrections };
}

async function closeTenant(
  closer: UsageCloserService,
  { tenantId, closedUntil, since }: OpenTenant,
  until: Date,
  windowMs: number,
): Promise<number> {
  let window = windowFrom(closedUntil ?? firstStart(since, windowMs), windowMs);
  let closed = 0;
  while (window.end <= until && closed < MOST_WINDOWS && (await closer.closeWindow(tenantId, window))) {
    closed += 1;
    window = windowFrom(window.end, windowMs);
  }
  return closed;
}

/** A tenant that fails waits for the next round. */
export async function guarded(options: Round, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (isAppError(error, 'DATABASE_UNAVAILABLE')) {
      throw error;
    }
    options.onError(error);
    return 0;
  }
}

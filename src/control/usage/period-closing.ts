import type { TenantId } from '../../kernel/ids.ts';
import type { RoleDatabase } from '../../platform/feed/sql.ts';
import { guarded, type Round } from './usage-closing.ts';
import type { UsagePeriodCloserService } from './usage-period-closer.service.ts';

export interface PeriodClosingOptions extends Round {
  /** How long after its end a period waits for corrections. */
  readonly periodGraceMs: number;
}

interface OpenPeriod {
  readonly tenantId: TenantId;
  readonly start: Date;
  readonly end: Date;
}

/** Of one tenant at a time: a year without a worker is twelve rounds. */
export async function closePeriods(
  database: RoleDatabase,
  closer: UsagePeriodCloserService,
  options: PeriodClosingOptions,
): Promise<number> {
  const until = new Date(options.clock.now() - options.periodGraceMs);
  const open = await database.query<OpenPeriod>(
    `select tenant_id as "tenantId", period_start as start, period_end as "end" from app.tenants_with_open_periods($1)`,
    [until],
  );
  let periods = 0;
  for (const { tenantId, ...period } of open) {
    periods += await guarded(options, async () => Number(await closer.finalizePeriod(tenantId, period)));
  }
  return periods;
}

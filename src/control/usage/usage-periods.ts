import type { EntityManager } from 'typeorm';
import type { UsageWindow } from './measure-window.ts';

/** The calendar month, in UTC, that a moment lies in. */
export function monthOf(moment: Date): UsageWindow {
  const [year, month] = [moment.getUTCFullYear(), moment.getUTCMonth()];
  return { start: new Date(Date.UTC(year, month)), end: new Date(Date.UTC(year, month + 1)) };
}

/** The period that an entry of this window belongs to now: the window's own month, unless that one is final. */
export async function openPeriodOf(em: EntityManager, tenantId: string, windowStart: Date): Promise<Date> {
  const [last]: { end: Date | null }[] = await em.query(
    'select max(period_end) as "end" from app.usage_period where tenant_id = $1',
    [tenantId],
  );
  const own = monthOf(windowStart).start;
  const end = last?.end ?? null;
  return end !== null && end > own ? end : own;
}

import type { EntityManager } from 'typeorm';
import { COUNTERS, type Counter, type Gauge, type Meter } from './meters.ts';

/** From `start` up to, but not including, `end`. */
export interface UsageWindow {
  readonly start: Date;
  readonly end: Date;
}

export type Measured = Readonly<Record<Meter, string>>;

/** What a tenant used in a window, and what it had at its end: quantities as decimal text. */
export async function measureWindow(em: EntityManager, tenantId: string, window: UsageWindow): Promise<Measured> {
  return { ...(await countersOf(em, tenantId, window)), ...(await gaugesAt(em, tenantId, window.end)) };
}

/** The sums of all usage events that fell into the window. */
export async function countersOf(
  em: EntityManager,
  tenantId: string,
  { start, end }: UsageWindow,
): Promise<Record<Counter, string>> {
  const rows: { meter: Counter; quantity: string }[] = await em.query(
    `select meter, sum(quantity)::bigint as quantity from app.usage_event
      where tenant_id = $1 and occurred_at >= $2 and occurred_at < $3 group by meter`,
    [tenantId, start, end],
  );
  const zeros = Object.fromEntries(Object.keys(COUNTERS).map((meter) => [meter, '0'])) as Record<Counter, string>;
  return { ...zeros, ...Object.fromEntries(rows.map(({ meter, quantity }) => [meter, quantity])) };
}

async function gaugesAt(em: EntityManager, tenantId: string, at: Date): Promise<Record<Gauge, string>> {
  const [points]: { restore_points: string; protected_vms: string; protected_bytes: string }[] = await em.query(
    `with point as (
       select p.vm_id, p.size_bytes, row_number() over (partition by p.vm_id order by p.taken_at desc, p.id desc) as age
         from app.restore_point p where p.tenant_id = $1 and p.created_at < $2),
     newest as (
       select point.size_bytes from point
         join app.vm v on v.tenant_id = $1 and v.id = point.vm_id and (v.released_at is null or v.released_at >= $2)
        where point.age = 1)
     select (select count(*) from point) as restore_points, (select count(*) from newest) as protected_vms,
            (select coalesce(sum(size_bytes), 0)::bigint from newest) as protected_bytes`,
    [tenantId, at],
  );
  const [stored]: { stored_bytes: string }[] = await em.query(
    `select coalesce(sum(size.stored_bytes), 0)::bigint as stored_bytes
       from (select distinct on (vault_id) stored_bytes from app.vault_size
              where tenant_id = $1 and since < $2 order by vault_id, since desc) size`,
    [tenantId, at],
  );
  const { restore_points = '0', protected_vms = '0', protected_bytes = '0' } = points ?? {};
  return { protected_vms, protected_bytes, stored_bytes: stored?.stored_bytes ?? '0', restore_points };
}

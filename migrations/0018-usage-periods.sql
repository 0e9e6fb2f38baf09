-- Periods, calendar months in UTC, of the ledger: an entry belongs to exactly one, and a period that is final keeps its
-- entries. What comes late for it goes into the period that is open by then.

grant create on schema app to holdfast_definer;

alter table app.usage_record add column period_start timestamptz;
set local role holdfast_maint;
update app.usage_record set period_start = date_trunc('month', window_start, 'UTC');
reset role;
alter table app.usage_record alter column period_start set not null;
create index usage_record_in_period on app.usage_record (tenant_id, period_start);

create table app.usage_period (
  tenant_id    uuid not null references app.tenant (id),
  -- uuidv5 of tenant and start.
  id           uuid not null,
  period_start timestamptz not null,
  period_end   timestamptz not null check (period_end > period_start),
  entries      integer not null check (entries >= 0),
  -- SHA-256, lower-case hex, over the entries' ids as clients see them, in byte order, each ended by a line feed.
  digest       text not null,
  -- [{ "meter", "unit", "sum", "current", "average", "peak" }]: decimal text
  quantities   jsonb not null,
  finalized_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
create unique index usage_period_once on app.usage_period (tenant_id, period_start);
select app.protect('app.usage_period', api_may => 'select', worker_may => 'select,insert');

-- The next period of each tenant, where it ended before `until` and all its windows are closed.
create function app.tenants_with_open_periods(until timestamptz)
returns table (tenant_id uuid, period_start timestamptz, period_end timestamptz)
language sql stable security definer set search_path = app, pg_temp set timezone = 'UTC' as $$
  select t.id, next.start, next.start + interval '1 month'
  from app.tenant t
  join app.usage_cursor c on c.tenant_id = t.id
  cross join lateral (
    select coalesce((select max(p.period_end) from app.usage_period p where p.tenant_id = t.id),
                    date_trunc('month', t.created_at)) as start) next
  where next.start + interval '1 month' <= least(until, c.closed_until)
$$;
grant select on app.usage_period to holdfast_definer;
alter function app.tenants_with_open_periods(timestamptz) owner to holdfast_definer;
revoke execute on function app.tenants_with_open_periods(timestamptz) from public;
grant execute on function app.tenants_with_open_periods(timestamptz) to holdfast_worker;

revoke create on schema app from holdfast_definer;

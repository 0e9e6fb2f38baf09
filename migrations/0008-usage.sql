-- What bills are made from: events as jobs end, and the append-only ledger of closed windows.

create table app.usage_event (
  tenant_id   uuid not null references app.tenant (id),
  -- uuidv5 of job and meter: writing it again is the same row.
  id          uuid not null,
  meter       text not null check (meter in ('restored_bytes', 'replicated_bytes', 'backed_up_bytes', 'backup_runs', 'restore_runs', 'replication_runs')),
  quantity    bigint not null check (quantity >= 0),
  unit        text not null check (unit in ('byte', 'run')),
  job_id      uuid not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, job_id) references app.job (tenant_id, id)
);
create index usage_event_in_window on app.usage_event (tenant_id, meter, occurred_at);
select app.protect('app.usage_event', api_may => 'select', worker_may => 'select,insert');

create table app.usage_record (
  tenant_id    uuid not null references app.tenant (id),
  -- uuidv5 of tenant, meter, window and revision.
  id           uuid not null,
  meter        text not null,
  unit         text not null check (unit in ('byte', 'run', 'vm', 'restore_point')),
  window_start timestamptz not null,
  window_end   timestamptz not null check (window_end > window_start),
  revision     integer not null check (revision >= 0),
  -- What this entry adds (negative in a correction), and what the window comes to with it.
  quantity     bigint not null,
  total        bigint not null check (total >= 0),
  reason       text not null check (reason in ('WINDOW_CLOSED', 'CORRECTION')),
  billable        boolean not null,
  billable_reason text not null,
  -- Ed25519 over the canonical text of the entry.
  key_id       text not null,
  signature    bytea not null,
  recorded_at  timestamptz not null default now(),
  primary key (tenant_id, id)
);
create unique index usage_record_once on app.usage_record (tenant_id, meter, window_start, revision);
create index usage_record_newest on app.usage_record (tenant_id, window_start desc, id desc);
select app.protect('app.usage_record', api_may => 'select', worker_may => 'select,insert');

-- Up to where each tenant's windows are closed.
create table app.usage_cursor (
  tenant_id     uuid primary key references app.tenant (id),
  closed_until  timestamptz not null
);
select app.protect('app.usage_cursor', api_may => 'select', worker_may => 'select,insert,update');

-- Tenants with a window to close; the closer then acts as each of them.
create function app.tenants_with_open_windows(until timestamptz) returns table (tenant_id uuid, closed_until timestamptz, since timestamptz)
language sql stable security definer set search_path = app, pg_temp as $$
  select t.id, c.closed_until, t.created_at
  from app.tenant t
  left join app.usage_cursor c on c.tenant_id = t.id
  where t.created_at < until and (c.closed_until is null or c.closed_until < until)
$$;
-- Usage that came after its window had been closed.
create function app.late_usage(most integer) returns table (tenant_id uuid, meter text, occurred_at timestamptz)
language sql stable security definer set search_path = app, pg_temp as $$
  select e.tenant_id, e.meter, e.occurred_at
  from app.usage_event e
  join app.usage_cursor c on c.tenant_id = e.tenant_id and e.occurred_at < c.closed_until
  where not exists (
    select from app.usage_record r
    where r.tenant_id = e.tenant_id and r.meter = e.meter and r.window_start <= e.occurred_at and r.window_end > e.occurred_at
      and r.recorded_at >= e.recorded_at)
  limit most
$$;
grant select on app.usage_cursor, app.usage_event, app.usage_record to holdfast_definer;
alter function app.tenants_with_open_windows(timestamptz) owner to holdfast_definer;
alter function app.late_usage(integer) owner to holdfast_definer;
grant execute on function app.tenants_with_open_windows(timestamptz), app.late_usage(integer) to holdfast_worker;

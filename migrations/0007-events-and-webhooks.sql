-- The outbox: every change of state writes an event in its own transaction; the relay numbers what was committed.

create table app.event (
  tenant_id    uuid not null references app.tenant (id),
  id           uuid not null default uuidv7(),
  type         text not null check (type ~ '^[a-z0-9_]+([.][a-z0-9_]+)+$'),
  subject_type text not null,
  subject_id   uuid not null,
  data         jsonb not null default '{}',
  occurred_at  timestamptz not null default now(),
  -- Given by the relay: dense per tenant, and one order over all tenants for those who read a subtree.
  sequence     bigint,
  position     bigint,
  primary key (tenant_id, id)
);
create unique index event_sequence on app.event (tenant_id, sequence) where sequence is not null;
create index event_position on app.event (tenant_id, position) where position is not null;
-- The relay's queue, over all tenants.
create index event_unnumbered on app.event (occurred_at, id) where position is null;
select app.protect('app.event', api_may => 'select,insert', worker_may => 'select,insert');

create table app.event_counter (
  tenant_id uuid primary key references app.tenant (id),
  sequence  bigint not null default 0
);
select app.protect('app.event_counter', api_may => 'select');
create sequence app.event_position_seq owned by none;
alter sequence app.event_position_seq owner to holdfast_owner;

create table app.webhook_endpoint (
  tenant_id    uuid not null references app.tenant (id),
  id           uuid not null default uuidv7(),
  name         text not null check (char_length(name) between 1 and 200),
  url          text not null check (url ~ '^https?://'),
  -- Event types, each exact or a prefix that ends in '*'.
  event_types  text[] not null check (cardinality(event_types) > 0),
  reach        text not null default 'SELF' check (reach in ('SELF', 'SUBTREE')),
  state        text not null default 'ENABLED' check (state in ('ENABLED', 'DISABLED', 'GONE')),
  secret_id    uuid not null,
  previous_secret_id         uuid,
  previous_secret_expires_at timestamptz,
  failing_since timestamptz,
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now(),
  version      integer not null default 1,
  primary key (tenant_id, id),
  foreign key (tenant_id, secret_id) references app.secret (tenant_id, id),
  foreign key (tenant_id, previous_secret_id) references app.secret (tenant_id, id)
);
create index webhook_endpoint_newest on app.webhook_endpoint (tenant_id, created_at desc, id desc);
select app.protect('app.webhook_endpoint', api_may => 'select,insert,update,delete');

-- One event on its way to one endpoint. The event may be a descendant's, so it is copied here, not referenced.
create table app.webhook_delivery (
  tenant_id       uuid not null,
  id              uuid not null default uuidv7(),
  endpoint_id     uuid not null,
  event_tenant_id uuid not null,
  event_id        uuid not null,
  event_type      text not null,
  body            text not null,
  state           text not null default 'PENDING' check (state in ('PENDING', 'DELIVERED', 'FAILED')),
  attempts        integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  last_status     integer,
  last_error      text,
  created_at      timestamptz not null default now(),
  delivered_at    timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, endpoint_id) references app.webhook_endpoint (tenant_id, id) on delete cascade
);
create unique index webhook_delivery_once on app.webhook_delivery (tenant_id, endpoint_id, event_id);
create index webhook_delivery_newest on app.webhook_delivery (tenant_id, endpoint_id, created_at desc, id desc);
-- The relay's queue, over all tenants.
create index webhook_delivery_due on app.webhook_delivery (next_attempt_at) where state = 'PENDING';
select app.protect('app.webhook_delivery', api_may => 'select,insert,update');

-- The relay works for all tenants on these tables and no others.
create policy event_select_relay on app.event for select to holdfast_relay using (true);
create policy event_update_relay on app.event for update to holdfast_relay using (true) with check (true);
create policy event_counter_select_relay on app.event_counter for select to holdfast_relay using (true);
create policy event_counter_insert_relay on app.event_counter for insert to holdfast_relay with check (true);
create policy event_counter_update_relay on app.event_counter for update to holdfast_relay using (true) with check (true);
create policy webhook_endpoint_select_relay on app.webhook_endpoint for select to holdfast_relay using (true);
create policy webhook_endpoint_update_relay on app.webhook_endpoint for update to holdfast_relay using (true) with check (true);
create policy webhook_delivery_select_relay on app.webhook_delivery for select to holdfast_relay using (true);
create policy webhook_delivery_insert_relay on app.webhook_delivery for insert to holdfast_relay with check (true);
create policy webhook_delivery_update_relay on app.webhook_delivery for update to holdfast_relay using (true) with check (true);
grant select on app.event, app.event_counter, app.webhook_endpoint, app.webhook_delivery to holdfast_relay;
grant insert on app.webhook_delivery, app.event_counter to holdfast_relay;
grant update (sequence, position) on app.event to holdfast_relay;
grant update (sequence) on app.event_counter to holdfast_relay;
grant update (state, failing_since, updated_at, version) on app.webhook_endpoint to holdfast_relay;
grant update (state, attempts, next_attempt_at, last_status, last_error, delivered_at) on app.webhook_delivery to holdfast_relay;
grant usage on sequence app.event_position_seq to holdfast_relay;

-- Which endpoints want an event: the tenant's own, and those above it that were made for the subtree.
create function app.endpoints_for(event_tenant uuid, event_type text)
returns table (tenant_id uuid, endpoint_id uuid)
language sql stable security definer set search_path = app, pg_temp as $$
  select e.tenant_id, e.id
  from app.tenant_closure up
  join app.webhook_endpoint e on e.tenant_id = up.ancestor
  where up.descendant = event_tenant and e.state = 'ENABLED'
    and (up.depth = 0 or e.reach = 'SUBTREE')
    and exists (
      select from unnest(e.event_types) wanted
      where wanted = event_type or (right(wanted, 1) = '*' and starts_with(event_type, left(wanted, -1))))
$$;

-- The sealed signing secrets of one endpoint, newest first: the relay reads no other secret.
create function app.webhook_secrets(endpoint_tenant uuid, wanted_endpoint uuid) returns setof bytea
language sql stable security definer set search_path = app, pg_temp as $$
  select s.sealed
  from app.webhook_endpoint e
  join app.secret s on s.tenant_id = e.tenant_id
    and (s.id = e.secret_id or (s.id = e.previous_secret_id and e.previous_secret_expires_at > now()))
  where e.tenant_id = endpoint_tenant and e.id = wanted_endpoint and s.purpose = 'WEBHOOK_SECRET'
  order by s.id = e.secret_id desc
$$;
grant select on app.webhook_endpoint to holdfast_definer;
alter function app.endpoints_for(uuid, text) owner to holdfast_definer;
alter function app.webhook_secrets(uuid, uuid) owner to holdfast_definer;
grant execute on function app.endpoints_for(uuid, text), app.webhook_secrets(uuid, uuid) to holdfast_relay;

-- The relay tells whoever listens that something moved; the rows are the truth. It learns of progress by this count.
create function app.progress_mark() returns timestamptz
language sql stable security definer set search_path = app, pg_temp as $$
  select max(updated_at) from app.job_progress
$$;
create index job_progress_updated on app.job_progress (updated_at);
grant select on app.job_progress to holdfast_definer;
alter function app.progress_mark() owner to holdfast_definer;
grant execute on function app.progress_mark() to holdfast_relay;

-- What has been told long ago goes: events that were numbered, deliveries that have ended, keys of repeated requests.

grant create on schema app to holdfast_definer;

create index event_age on app.event (occurred_at) where position is not null;
create index webhook_delivery_age on app.webhook_delivery (created_at) where state <> 'PENDING';
create index idempotency_key_age on app.idempotency_key (expires_at);

-- At most so many rows of each kind. Safe beside itself: whoever comes second takes other rows.
create function app.sweep(told_before timestamptz, most integer)
returns table (events bigint, deliveries bigint, idempotency_keys bigint)
language plpgsql security definer set search_path = app, pg_temp as $$
begin
  return query
    with old_events as (
      select e.tenant_id, e.id from app.event e
       where e.position is not null and e.occurred_at < told_before
       order by e.occurred_at limit most for update skip locked
    ), old_deliveries as (
      select d.tenant_id, d.id from app.webhook_delivery d
       where d.state <> 'PENDING' and d.created_at < told_before
       order by d.created_at limit most for update skip locked
    ), old_keys as (
      select k.tenant_id, k.actor, k.operation, k.key from app.idempotency_key k
       where k.expires_at < now() order by k.expires_at limit most for update skip locked
    ), gone_events as (
      delete from app.event e using old_events o where e.tenant_id = o.tenant_id and e.id = o.id returning 1
    ), gone_deliveries as (
      delete from app.webhook_delivery d using old_deliveries o where d.tenant_id = o.tenant_id and d.id = o.id returning 1
    ), gone_keys as (
      delete from app.idempotency_key k using old_keys o
       where k.tenant_id = o.tenant_id and k.actor = o.actor and k.operation = o.operation and k.key = o.key returning 1
    )
    select (select count(*) from gone_events), (select count(*) from gone_deliveries), (select count(*) from gone_keys);
end
$$;
grant select, delete on app.event, app.webhook_delivery, app.idempotency_key to holdfast_definer;
-- Locking a row takes the right to change it.
grant update (position) on app.event to holdfast_definer;
grant update (expires_at) on app.idempotency_key to holdfast_definer;
alter function app.sweep(timestamptz, integer) owner to holdfast_definer;
revoke execute on function app.sweep(timestamptz, integer) from public;
grant execute on function app.sweep(timestamptz, integer) to holdfast_relay;

revoke create on schema app from holdfast_definer;

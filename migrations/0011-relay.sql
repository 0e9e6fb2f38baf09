-- What the relay needs beyond its first tables: when a delivery's clock began, who was told of a failing endpoint,
-- and which secret it opens.

grant create on schema app to holdfast_definer;

-- A replay starts the clock of the attempts again.
alter table app.webhook_delivery add column first_due_at timestamptz not null default now();
-- When `webhook_endpoint.failing` was written; empty again once a delivery succeeds.
alter table app.webhook_endpoint add column alarmed_at timestamptz;
grant update (alarmed_at) on app.webhook_endpoint to holdfast_relay;

-- Of events the relay writes only what it alone knows: how an endpoint is doing.
create policy event_insert_relay on app.event for insert to holdfast_relay
  with check (subject_type = 'WebhookEndpoint' and type in ('webhook_endpoint.failing', 'webhook_endpoint.recovered', 'webhook_endpoint.gone'));
grant insert (tenant_id, type, subject_type, subject_id, data) on app.event to holdfast_relay;

-- A sealed secret opens only together with its id.
drop function app.webhook_secrets(uuid, uuid);
create function app.webhook_secrets(endpoint_tenant uuid, wanted_endpoint uuid) returns table (secret_id uuid, sealed bytea)
language sql stable security definer set search_path = app, pg_temp as $$
  select s.id, s.sealed
  from app.webhook_endpoint e
  join app.secret s on s.tenant_id = e.tenant_id
    and (s.id = e.secret_id or (s.id = e.previous_secret_id and e.previous_secret_expires_at > now()))
  where e.tenant_id = endpoint_tenant and e.id = wanted_endpoint and s.purpose = 'WEBHOOK_SECRET'
  order by s.id = e.secret_id desc
$$;
alter function app.webhook_secrets(uuid, uuid) owner to holdfast_definer;
revoke execute on function app.webhook_secrets(uuid, uuid) from public;
grant execute on function app.webhook_secrets(uuid, uuid) to holdfast_relay;

revoke create on schema app from holdfast_definer;

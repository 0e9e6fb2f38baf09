-- What closing a window needs: how large each vault was at its end, usage that came late, the keys that sign.

grant create on schema app to holdfast_definer;

-- Each size a vault has had, so that a window that is closed later still knows what was stored at its end.
create table app.vault_size (
  tenant_id    uuid not null,
  vault_id     uuid not null,
  since        timestamptz not null,
  stored_bytes bigint not null check (stored_bytes >= 0),
  primary key (tenant_id, vault_id, since),
  foreign key (tenant_id, vault_id) references app.vault (tenant_id, id)
);
select app.protect('app.vault_size', api_may => 'select', worker_may => 'select');

create function app.note_vault_size() returns trigger
language plpgsql security definer set search_path = app, pg_temp as $$
begin
  insert into app.vault_size (tenant_id, vault_id, since, stored_bytes)
    values (new.tenant_id, new.id, now(), new.stored_bytes)
    on conflict (tenant_id, vault_id, since) do update set stored_bytes = excluded.stored_bytes;
  return null;
end
$$;
grant select, insert, update on app.vault_size to holdfast_definer;
alter function app.note_vault_size() owner to holdfast_definer;
revoke execute on function app.note_vault_size() from public;
create trigger vault_size_is_noted_first after insert on app.vault
  for each row execute function app.note_vault_size();
create trigger vault_size_is_noted after update of stored_bytes on app.vault
  for each row when (new.stored_bytes is distinct from old.stored_bytes) execute function app.note_vault_size();

-- Late usage is found by what the ledger says, not by clocks: a transaction may commit long after it took its time.
drop function app.late_usage(integer);
create index usage_event_recorded on app.usage_event (recorded_at);
create function app.late_usage(recorded_since timestamptz, most integer)
returns table (tenant_id uuid, meter text, window_start timestamptz, window_end timestamptz)
language sql stable security definer set search_path = app, pg_temp as $$
  select w.tenant_id, w.meter, w.window_start, w.window_end
  from (
    select distinct r.tenant_id, r.meter, r.window_start, r.window_end
    from app.usage_event e
    join app.usage_record r
      on r.tenant_id = e.tenant_id and r.meter = e.meter and r.revision = 0
     and r.window_start <= e.occurred_at and r.window_end > e.occurred_at
    where e.recorded_at >= recorded_since) w
  where (select coalesce(sum(e.quantity), 0) from app.usage_event e
          where e.tenant_id = w.tenant_id and e.meter = w.meter
            and e.occurred_at >= w.window_start and e.occurred_at < w.window_end)
     <> (select r.total from app.usage_record r
          where r.tenant_id = w.tenant_id and r.meter = w.meter and r.window_start = w.window_start
          order by r.revision desc limit 1)
  order by w.tenant_id, w.window_start
  limit most
$$;
alter function app.late_usage(timestamptz, integer) owner to holdfast_definer;
revoke execute on function app.late_usage(timestamptz, integer) from public;
grant execute on function app.late_usage(timestamptz, integer) to holdfast_worker;

-- Public halves of the keys that signed ledger entries; an entry names its key. Belongs to no tenant, and is no secret.
create table app.usage_signing_key (
  key_id     text primary key,
  -- SPKI, PEM
  public_key text not null,
  created_at timestamptz not null default now()
);
alter table app.usage_signing_key owner to holdfast_owner;
grant select on app.usage_signing_key to holdfast_api;
grant select, insert on app.usage_signing_key to holdfast_worker;

revoke create on schema app from holdfast_definer;

-- One pool, one registration in a tenant, and none above a tenant that has it already. A pool says its UUID itself, so a
-- tenant elsewhere that has the same one is no reason to refuse: it would tell of that tenant, and let it squat there.

grant create on schema app to holdfast_definer;

set local role holdfast_maint;
-- The older one of two stays what it was; the newer one says at its next inventory what is wrong with it.
update app.pool p set xen_uuid = null
 where exists (select from app.pool first
               where first.tenant_id = p.tenant_id and first.xen_uuid = p.xen_uuid and first.id < p.id);
reset role;
create unique index pool_xen_uuid on app.pool (tenant_id, xen_uuid) where xen_uuid is not null;

create function app.has_pool_below(owner uuid, pool_uuid text) returns boolean
language sql stable security definer set search_path = app, pg_temp as $$
  select owner = app.write_tenant() and exists (
    select from app.pool p join app.tenant_closure c on c.descendant = p.tenant_id
    where c.ancestor = owner and c.depth > 0 and p.xen_uuid = pool_uuid)
$$;

create function app.check_pool_identity() returns trigger
language plpgsql security definer set search_path = app, pg_temp as $$
begin
  -- Of two registrations at the same moment the second one sees the first.
  perform pg_advisory_xact_lock(hashtextextended(new.xen_uuid, 0));
  if app.has_pool_below(new.tenant_id, new.xen_uuid) then
    raise exception 'a tenant below has registered the pool' using errcode = 'unique_violation', constraint = 'pool_xen_uuid_below';
  end if;
  return new;
end
$$;
create trigger pool_is_registered_once before update of xen_uuid on app.pool
  for each row when (new.xen_uuid is not null and new.xen_uuid is distinct from old.xen_uuid)
  execute function app.check_pool_identity();

-- What the machines of the service themselves can reach is the provider's alone to name.
create function app.is_provider(tenant uuid) returns boolean
language sql stable security definer set search_path = app, pg_temp as $$
  select exists (select from app.tenant t where t.id = tenant and t.kind = 'PROVIDER')
$$;

alter function app.has_pool_below(uuid, text) owner to holdfast_definer;
alter function app.check_pool_identity() owner to holdfast_definer;
alter function app.is_provider(uuid) owner to holdfast_definer;
revoke execute on function app.has_pool_below(uuid, text), app.check_pool_identity(), app.is_provider(uuid) from public;
grant execute on function app.has_pool_below(uuid, text), app.is_provider(uuid) to holdfast_worker;

revoke create on schema app from holdfast_definer;

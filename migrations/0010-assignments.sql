-- Assigning a VM changes rows of two tenants at once, and a grant names a row of a third: what one tenant's policies
-- can't allow is done, and judged, here.

grant create on schema app to holdfast_definer;

-- Whether a backup of this VM is under way. Locks the VM first, so that a backup that starts meanwhile waits.
create function app.vm_is_busy(vm_tenant uuid, wanted_vm uuid) returns boolean
language plpgsql security definer set search_path = app, pg_temp as $$
begin
  perform from app.vm v where v.tenant_id = vm_tenant and v.id = wanted_vm for update;
  return exists (
    select from app.job j
    where j.tenant_id = vm_tenant and j.vm_id = wanted_vm and j.kind = 'BACKUP'
      and j.state in ('QUEUED', 'RUNNING', 'CANCELLING'));
end
$$;

-- Gives a guest of the write tenant's pool to that tenant or one below it: the old row is released, a new one made.
-- `refusal` is an error code, or null where it was done; a guest that is where it should be stays as it is.
create function app.assign_vm(owner uuid, wanted_pool_vm uuid, to_tenant uuid)
returns table (vm_id uuid, released_tenant_id uuid, released_vm_id uuid, refusal text)
language plpgsql security definer set search_path = app, pg_temp as $$
declare
  guest app.pool_vm;
  held app.vm;
  made uuid;
begin
  if owner is distinct from app.write_tenant() or not owner = any (app.scope()) or not app.may_change(owner) then
    raise exception 'only the pool''s owner assigns its VMs' using errcode = 'insufficient_privilege';
  end if;
  if not (to_tenant = owner or app.is_strict_ancestor(owner, to_tenant)) or not to_tenant = any (app.scope()) then
    raise exception 'a VM is assigned to its pool''s owner or below' using errcode = 'insufficient_privilege';
  end if;
  select * into guest from app.pool_vm g where g.tenant_id = owner and g.id = wanted_pool_vm;
  if guest.id is null or guest.gone_at is not null then
    return query select null::uuid, null::uuid, null::uuid, 'VM_GONE';
    return;
  end if;
  select * into held from app.vm v
   where v.pool_owner_id = owner and v.pool_vm_id = guest.id and v.released_at is null for update;
  if held.tenant_id = to_tenant then
    return query select held.id, null::uuid, null::uuid, null::text;
    return;
  end if;
  if held.id is not null and app.vm_is_busy(held.tenant_id, held.id) then
    return query select null::uuid, null::uuid, null::uuid, 'VM_BUSY';
    return;
  end if;
  if held.id is not null then
    update app.vm v set released_at = now(), updated_at = now(), version = v.version + 1
     where v.tenant_id = held.tenant_id and v.id = held.id;
    insert into app.event (tenant_id, type, subject_type, subject_id, data)
      values (held.tenant_id, 'vm.released', 'Vm', held.id, jsonb_build_object('name', held.name));
  end if;
  insert into app.vm (tenant_id, pool_owner_id, pool_id, pool_vm_id, name, power_state, memory_bytes, vcpus, tags, disks)
    select to_tenant, guest.tenant_id, guest.pool_id, guest.id, guest.name, guest.power_state, guest.memory_bytes,
           guest.vcpus, guest.tags,
           (select coalesce(jsonb_agg(d.disk - 'srUuid' order by d.place), '[]')
              from jsonb_array_elements(guest.disks) with ordinality d(disk, place))
    returning id into made;
  insert into app.event (tenant_id, type, subject_type, subject_id, data)
    values (to_tenant, 'vm.assigned', 'Vm', made, jsonb_build_object('name', guest.name));
  return query select made, held.tenant_id, held.id, null::text;
end
$$;

-- Before a pool is forgotten: its guests are released and the grants on it end. False where a job still works there.
create function app.release_pool(owner uuid, wanted_pool uuid) returns boolean
language plpgsql security definer set search_path = app, pg_temp as $$
begin
  if owner is distinct from app.write_tenant() or not owner = any (app.scope()) or not app.may_change(owner) then
    raise exception 'only the pool''s owner releases it' using errcode = 'insufficient_privilege';
  end if;
  perform from app.vm v
    where v.pool_owner_id = owner and v.pool_id = wanted_pool and v.released_at is null for update;
  if exists (
    select from app.job j
    where j.state in ('QUEUED', 'RUNNING', 'CANCELLING')
      and (j.tenant_id = owner and j.pool_id = wanted_pool
        or j.input -> 'target' ->> 'poolId' = wanted_pool::text
        or exists (select from app.vm v
                   where v.tenant_id = j.tenant_id and v.id = j.vm_id and v.pool_owner_id = owner and v.pool_id = wanted_pool)
        or exists (select from app.replication_plan r
                   where r.tenant_id = j.tenant_id and r.id = j.replication_plan_id and r.pool_owner_id = owner and r.pool_id = wanted_pool)))
  then
    return false;
  end if;
  update app.vm v set released_at = now(), updated_at = now(), version = v.version + 1
   where v.pool_owner_id = owner and v.pool_id = wanted_pool and v.released_at is null;
  update app.pool_grant g set revoked_at = now(), updated_at = now(), version = g.version + 1
   where g.pool_owner_id = owner and g.pool_id = wanted_pool and g.revoked_at is null;
  return true;
end
$$;

-- Who has the guests of the write tenant's or the read root's pools at the moment.
create function app.pool_vm_holders(owner uuid, guests uuid[]) returns table (pool_vm_id uuid, tenant_id uuid, vm_id uuid)
language sql stable security definer set search_path = app, pg_temp as $$
  select v.pool_vm_id, v.tenant_id, v.id
  from app.vm v
  where v.pool_owner_id = owner and v.pool_vm_id = any (guests) and v.released_at is null and owner = any (app.scope())
$$;

-- A grant names rows of the tenant that owns the thing, where no foreign key can reach: the owner is above the holder,
-- and the thing is there and stays while the grant is being made.
-- Who acts must see the thing too: nobody passes on a grant that was given to themselves.
create function app.check_pool_grant() returns trigger
language plpgsql security definer set search_path = app, pg_temp as $$
begin
  if app.actor_tenant() is not null and not new.pool_owner_id = any (app.scope()) then
    raise exception 'a pool grant is given by the pool''s owner' using errcode = 'insufficient_privilege';
  end if;
  perform from app.pool p where p.tenant_id = new.pool_owner_id and p.id = new.pool_id for key share;
  if not found or not app.is_strict_ancestor(new.pool_owner_id, new.tenant_id)
    or exists (select unnest(new.sr_ids) except
               select s.id from app.pool_sr s where s.tenant_id = new.pool_owner_id and s.pool_id = new.pool_id)
    or exists (select unnest(new.network_ids) except
               select n.id from app.pool_network n where n.tenant_id = new.pool_owner_id and n.pool_id = new.pool_id)
  then
    raise exception 'a pool grant names a pool, SRs and networks of a tenant above' using errcode = 'foreign_key_violation';
  end if;
  return new;
end
$$;
create function app.check_storage_grant() returns trigger
language plpgsql security definer set search_path = app, pg_temp as $$
begin
  if app.actor_tenant() is not null and not new.storage_owner_id = any (app.scope()) then
    raise exception 'a storage grant is given by the storage''s owner' using errcode = 'insufficient_privilege';
  end if;
  perform from app.storage_target t
    where t.tenant_id = new.storage_owner_id and t.id = new.storage_target_id for key share;
  if not found or not app.is_strict_ancestor(new.storage_owner_id, new.tenant_id) then
    raise exception 'a storage grant names a storage target of a tenant above' using errcode = 'foreign_key_violation';
  end if;
  return new;
end
$$;
-- A storage target stays while somebody below its owner may use it, or has a vault on it.
create function app.keep_used_storage() returns trigger
language plpgsql security definer set search_path = app, pg_temp as $$
begin
  if exists (
    select from app.storage_grant g
    where g.storage_owner_id = old.tenant_id and g.storage_target_id = old.id
      and (g.revoked_at is null
        or exists (select from app.vault v where v.tenant_id = g.tenant_id and v.storage_grant_id = g.id)))
  then
    raise exception 'the storage target is in use' using errcode = 'foreign_key_violation', constraint = 'storage_grant_on_target';
  end if;
  return old;
end
$$;
create trigger storage_target_stays_while_used before delete on app.storage_target
  for each row execute function app.keep_used_storage();
create trigger pool_grant_names_a_pool before insert on app.pool_grant
  for each row execute function app.check_pool_grant();
create trigger storage_grant_names_a_target before insert on app.storage_grant
  for each row execute function app.check_storage_grant();

-- What must not be read in a failure that the tenant sees: addresses of pools and paths of storage that are somebody
-- else's. `kind` is POOL or STORAGE.
create function app.names_to_conceal(for_tenant uuid, wanted_vm uuid, wanted_pool uuid, wanted_plan uuid, wanted_vault uuid)
returns table (kind text, name text)
language sql stable security definer set search_path = app, pg_temp as $$
  with shared as (
    select p.tenant_id, p.id, p.url, p.pinned_certificates from app.pool p
    where p.tenant_id <> for_tenant and for_tenant = app.write_tenant()
      and (exists (select from app.vm v where v.tenant_id = for_tenant and v.id = wanted_vm
                     and v.pool_owner_id = p.tenant_id and v.pool_id = p.id)
        or p.id = wanted_pool and exists (select from app.pool_grant g
                     where g.tenant_id = for_tenant and g.pool_owner_id = p.tenant_id and g.pool_id = p.id)
        or exists (select from app.replication_plan r where r.tenant_id = for_tenant and r.id = wanted_plan
                     and r.pool_owner_id = p.tenant_id and r.pool_id = p.id))
  )
  select 'POOL', substring(url from '^https://(.*?)(?::[0-9]+)?$') from shared
  union
  select 'POOL', jsonb_object_keys(pinned_certificates) from shared
  union
  select 'POOL', h.address from shared join app.pool_host h on h.tenant_id = shared.tenant_id and h.pool_id = shared.id
  union
  select 'STORAGE', t.path
  from app.vault v
  join app.storage_grant g on g.tenant_id = v.tenant_id and g.id = v.storage_grant_id
  join app.storage_target t on t.tenant_id = g.storage_owner_id and t.id = g.storage_target_id
  where v.tenant_id = for_tenant and v.id = wanted_vault and for_tenant = app.write_tenant()
$$;

-- What was done in a pool stays on record when the pool is forgotten.
alter table app.job
  drop constraint job_tenant_id_pool_id_fkey,
  add constraint job_tenant_id_pool_id_fkey foreign key (tenant_id, pool_id)
    references app.pool (tenant_id, id) on delete set null (pool_id);

grant select on app.pool, app.pool_host, app.storage_target, app.replication_plan to holdfast_definer;
grant insert on app.event to holdfast_definer;
-- Locking a row takes the right to change it.
grant update (version) on app.pool, app.storage_target to holdfast_definer;
grant update (revoked_at, updated_at, version) on app.pool_grant to holdfast_definer;
alter function app.vm_is_busy(uuid, uuid) owner to holdfast_definer;
alter function app.assign_vm(uuid, uuid, uuid) owner to holdfast_definer;
alter function app.release_pool(uuid, uuid) owner to holdfast_definer;
alter function app.pool_vm_holders(uuid, uuid[]) owner to holdfast_definer;
alter function app.names_to_conceal(uuid, uuid, uuid, uuid, uuid) owner to holdfast_definer;
alter function app.check_pool_grant() owner to holdfast_definer;
alter function app.check_storage_grant() owner to holdfast_definer;
alter function app.keep_used_storage() owner to holdfast_definer;
revoke execute on function app.vm_is_busy(uuid, uuid), app.assign_vm(uuid, uuid, uuid), app.release_pool(uuid, uuid),
  app.pool_vm_holders(uuid, uuid[]), app.check_pool_grant(), app.check_storage_grant(), app.keep_used_storage() from public;
grant execute on function app.assign_vm(uuid, uuid, uuid), app.release_pool(uuid, uuid),
  app.pool_vm_holders(uuid, uuid[]) to holdfast_api;
grant execute on function app.names_to_conceal(uuid, uuid, uuid, uuid, uuid) to holdfast_worker;
grant usage on schema app to holdfast_definer;

revoke create on schema app from holdfast_definer;

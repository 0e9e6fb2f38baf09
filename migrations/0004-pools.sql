-- Sites, pools and what XenServer has in them; the tenants' VMs; the right to place VMs in somebody else's pool.

-- Credentials, sealed by the control plane's own key before they come here.
create table app.secret (
  tenant_id  uuid not null references app.tenant (id),
  id         uuid not null default uuidv7(),
  purpose    text not null check (purpose in ('POOL_PASSWORD', 'WEBHOOK_SECRET', 'STORAGE_CREDENTIAL')),
  sealed     bytea not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
select app.protect('app.secret', api_may => 'select,insert,update,delete', worker_may => 'select');

create table app.site (
  tenant_id  uuid not null references app.tenant (id),
  id         uuid not null default uuidv7(),
  name       text not null check (char_length(name) between 1 and 200),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version    integer not null default 1,
  primary key (tenant_id, id)
);
create unique index site_name on app.site (tenant_id, lower(name));
select app.protect('app.site', api_may => 'select,insert,update,delete', worker_may => 'select');

create table app.pool (
  tenant_id    uuid not null references app.tenant (id),
  id           uuid not null default uuidv7(),
  site_id      uuid not null,
  name         text not null check (char_length(name) between 1 and 200),
  url          text not null,
  username     text not null,
  password_id  uuid not null,
  state        text not null default 'PENDING' check (state in ('PENDING', 'CONNECTED', 'UNREACHABLE', 'REJECTED')),
  state_code   text,
  state_detail text,
  xen_uuid     text,
  xen_version  text,
  -- { "<host address>": "<sha-256 of the certificate, lower-case hex>" }: what may answer as this pool.
  pinned_certificates jsonb not null default '{}',
  capabilities jsonb not null default '{}',
  inventory_at timestamptz,
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now(),
  version      integer not null default 1,
  primary key (tenant_id, id),
  foreign key (tenant_id, site_id) references app.site (tenant_id, id),
  foreign key (tenant_id, password_id) references app.secret (tenant_id, id)
);
create index pool_newest on app.pool (tenant_id, created_at desc, id desc);
create index pool_by_site on app.pool (tenant_id, site_id);
select app.protect('app.pool', api_may => 'select,insert,update,delete', worker_may => 'select,update');

create table app.pool_host (
  tenant_id uuid not null,
  id        uuid not null default uuidv7(),
  pool_id   uuid not null,
  xen_uuid  text not null,
  name      text not null,
  address   text not null,
  gone_at   timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, pool_id) references app.pool (tenant_id, id) on delete cascade
);
create unique index pool_host_xen on app.pool_host (tenant_id, pool_id, xen_uuid);
select app.protect('app.pool_host', api_may => 'select,delete', worker_may => 'select,insert,update');

create table app.pool_sr (
  tenant_id      uuid not null,
  id             uuid not null default uuidv7(),
  pool_id        uuid not null,
  xen_uuid       text not null,
  name           text not null,
  type           text not null,
  shared         boolean not null,
  size_bytes     bigint not null check (size_bytes >= -1),
  used_bytes     bigint not null check (used_bytes >= -1),
  tracks_changes boolean not null,
  gone_at        timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, pool_id) references app.pool (tenant_id, id) on delete cascade
);
create unique index pool_sr_xen on app.pool_sr (tenant_id, pool_id, xen_uuid);
select app.protect('app.pool_sr', api_may => 'select,delete', worker_may => 'select,insert,update');

create table app.pool_network (
  tenant_id uuid not null,
  id        uuid not null default uuidv7(),
  pool_id   uuid not null,
  xen_uuid  text not null,
  name      text not null,
  bridge    text not null,
  purposes  text[] not null default '{}',
  gone_at   timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, pool_id) references app.pool (tenant_id, id) on delete cascade
);
create unique index pool_network_xen on app.pool_network (tenant_id, pool_id, xen_uuid);
select app.protect('app.pool_network', api_may => 'select,delete', worker_may => 'select,insert,update');

-- A guest as its pool has it; belongs to the pool's owner, whoever the VM is assigned to.
create table app.pool_vm (
  tenant_id    uuid not null,
  id           uuid not null default uuidv7(),
  pool_id      uuid not null,
  xen_uuid     text not null,
  name         text not null,
  power_state  text not null,
  memory_bytes bigint not null check (memory_bytes >= 0),
  vcpus        integer not null check (vcpus >= 0),
  tags         text[] not null default '{}',
  -- [{ "vdiUuid", "srUuid", "name", "position", "sizeBytes", "tracksChanges" }], by position
  disks        jsonb not null default '[]',
  -- [{ "device", "mac", "networkUuid" }], by device
  interfaces   jsonb not null default '[]',
  gone_at      timestamptz,
  updated_at   timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, pool_id) references app.pool (tenant_id, id) on delete cascade
);
create unique index pool_vm_xen on app.pool_vm (tenant_id, pool_id, xen_uuid);
create index pool_vm_by_name on app.pool_vm (tenant_id, pool_id, name, id);
select app.protect('app.pool_vm', api_may => 'select,delete', worker_may => 'select,insert,update');

-- A VM as its tenant knows it. The pool may be another tenant's, so there is no foreign key to pool_vm: the worker
-- resolves it through app.resolve_vm, which checks that the assignment stands.
create table app.vm (
  tenant_id     uuid not null references app.tenant (id),
  id            uuid not null default uuidv7(),
  pool_owner_id uuid not null,
  pool_id       uuid not null,
  pool_vm_id    uuid not null,
  name          text not null,
  power_state   text not null,
  memory_bytes  bigint not null,
  vcpus         integer not null,
  tags          text[] not null default '{}',
  -- [{ "id", "vdiUuid", "name", "position", "sizeBytes" }]
  disks         jsonb not null default '[]',
  gone_at       timestamptz,
  -- Set when the VM is assigned to another tenant: the restore points stay here, the chain ends.
  released_at   timestamptz,
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  version       integer not null default 1,
  primary key (tenant_id, id)
);
-- One tenant at a time has a guest; the guest may stand in another tenant's pool, so the key can't start with tenant_id.
create unique index vm_assigned_once on app.vm (pool_owner_id, pool_vm_id) where released_at is null;
create index vm_newest on app.vm (tenant_id, created_at desc, id desc);
select app.protect('app.vm', api_may => 'select,insert,update', worker_may => 'select,insert,update');

-- The right of a tenant to place VMs in a pool that an ancestor owns; written by that ancestor only.
create table app.pool_grant (
  tenant_id     uuid not null references app.tenant (id),
  id            uuid not null default uuidv7(),
  pool_owner_id uuid not null,
  pool_id       uuid not null,
  name          text not null check (char_length(name) between 1 and 200),
  sr_ids        uuid[] not null check (cardinality(sr_ids) > 0),
  network_ids   uuid[] not null default '{}',
  revoked_at    timestamptz,
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  version       integer not null default 1,
  primary key (tenant_id, id)
);
create index pool_grant_newest on app.pool_grant (tenant_id, created_at desc, id desc);
select app.protect('app.pool_grant', api_may => 'select,insert,update', worker_may => 'select', governed => true);

-- Where a tenant's VM really is and how to reach it: only for a worker acting as that tenant, only while it is assigned.
create function app.resolve_vm(vm_tenant uuid, wanted_vm uuid)
returns table (pool_owner_id uuid, pool_id uuid, site_id uuid, url text, username text, sealed_password bytea,
               pinned_certificates jsonb, capabilities jsonb, vm_xen_uuid text)
language sql stable security definer set search_path = app, pg_temp as $$
  select p.tenant_id, p.id, p.site_id, p.url, p.username, s.sealed, p.pinned_certificates, p.capabilities, g.xen_uuid
  from app.vm v
  join app.pool_vm g on g.tenant_id = v.pool_owner_id and g.id = v.pool_vm_id
  join app.pool p on p.tenant_id = g.tenant_id and p.id = g.pool_id
  join app.secret s on s.tenant_id = p.tenant_id and s.id = p.password_id
  where v.tenant_id = vm_tenant and v.id = wanted_vm and v.released_at is null
    and vm_tenant = app.write_tenant()
$$;

-- The pool behind a placement: the tenant's own, or one it holds a grant for. SRs and networks come with it, narrowed
-- to what the grant names.
create function app.resolve_placement(target_tenant uuid, owner uuid, wanted_pool uuid, wanted_grant uuid)
returns table (pool_owner_id uuid, pool_id uuid, site_id uuid, url text, username text, sealed_password bytea,
               pinned_certificates jsonb, capabilities jsonb, sr_ids uuid[], network_ids uuid[])
language sql stable security definer set search_path = app, pg_temp as $$
  select p.tenant_id, p.id, p.site_id, p.url, p.username, s.sealed, p.pinned_certificates, p.capabilities,
         coalesce(g.sr_ids, array(select sr.id from app.pool_sr sr where sr.tenant_id = p.tenant_id and sr.pool_id = p.id and sr.gone_at is null)),
         coalesce(g.network_ids, array(select n.id from app.pool_network n where n.tenant_id = p.tenant_id and n.pool_id = p.id and n.gone_at is null))
  from app.pool p
  join app.secret s on s.tenant_id = p.tenant_id and s.id = p.password_id
  left join app.pool_grant g on g.tenant_id = target_tenant and g.id = wanted_grant and g.revoked_at is null
       and g.pool_owner_id = p.tenant_id and g.pool_id = p.id
  where p.tenant_id = owner and p.id = wanted_pool
    and target_tenant = app.write_tenant()
    and (p.tenant_id = target_tenant or g.id is not null)
$$;

-- What a tenant may see of the pools, SRs and networks behind its grants: names, never addresses or credentials.
create function app.granted_places(target_tenant uuid)
returns table (grant_id uuid, pool_owner_id uuid, pool_id uuid, pool_name text, kind text, place_id uuid, place_name text, xen_uuid text)
language sql stable security definer set search_path = app, pg_temp as $$
  select g.id, p.tenant_id, p.id, p.name, 'SR', sr.id, sr.name, sr.xen_uuid
  from app.pool_grant g
  join app.pool p on p.tenant_id = g.pool_owner_id and p.id = g.pool_id
  join app.pool_sr sr on sr.tenant_id = p.tenant_id and sr.pool_id = p.id and sr.id = any (g.sr_ids)
  where g.tenant_id = target_tenant and target_tenant = any (app.scope()) and g.revoked_at is null
  union all
  select g.id, p.tenant_id, p.id, p.name, 'NETWORK', n.id, n.name, n.xen_uuid
  from app.pool_grant g
  join app.pool p on p.tenant_id = g.pool_owner_id and p.id = g.pool_id
  join app.pool_network n on n.tenant_id = p.tenant_id and n.pool_id = p.id and n.id = any (g.network_ids)
  where g.tenant_id = target_tenant and target_tenant = any (app.scope()) and g.revoked_at is null
$$;

-- After an inventory, the tenants' rows follow what the pool's owner saw; the owner itself need not see those tenants.
create function app.follow_pool_vms(owner uuid, wanted_pool uuid) returns integer
language plpgsql security definer set search_path = app, pg_temp as $$
declare
  touched integer;
begin
  if owner is distinct from app.write_tenant() then
    raise exception 'only the pool''s owner reports its inventory' using errcode = 'insufficient_privilege';
  end if;
  insert into app.vm (tenant_id, pool_owner_id, pool_id, pool_vm_id, name, power_state, memory_bytes, vcpus, tags, disks)
    select g.tenant_id, g.tenant_id, g.pool_id, g.id, g.name, g.power_state, g.memory_bytes, g.vcpus, g.tags, '[]'
    from app.pool_vm g
    where g.tenant_id = owner and g.pool_id = wanted_pool and g.gone_at is null
      and not exists (select from app.vm v where v.pool_owner_id = g.tenant_id and v.pool_vm_id = g.id and v.released_at is null);
  update app.vm v
     set name = g.name, power_state = g.power_state, memory_bytes = g.memory_bytes, vcpus = g.vcpus, tags = g.tags,
         gone_at = g.gone_at, updated_at = now(),
         disks = (select coalesce(jsonb_agg(d - 'srUuid' order by (d ->> 'position')), '[]') from jsonb_array_elements(g.disks) d)
    from app.pool_vm g
   where g.tenant_id = owner and g.pool_id = wanted_pool and v.pool_owner_id = g.tenant_id and v.pool_vm_id = g.id
     and v.released_at is null;
  get diagnostics touched = row_count;
  return touched;
end
$$;

grant select on app.pool, app.pool_vm, app.pool_sr, app.pool_network, app.pool_grant, app.secret to holdfast_definer;
grant select, insert, update on app.vm to holdfast_definer;
alter function app.resolve_vm(uuid, uuid) owner to holdfast_definer;
alter function app.resolve_placement(uuid, uuid, uuid, uuid) owner to holdfast_definer;
alter function app.granted_places(uuid) owner to holdfast_definer;
alter function app.follow_pool_vms(uuid, uuid) owner to holdfast_definer;
grant execute on function app.resolve_vm(uuid, uuid), app.resolve_placement(uuid, uuid, uuid, uuid),
  app.follow_pool_vms(uuid, uuid) to holdfast_worker;
grant execute on function app.granted_places(uuid) to holdfast_api, holdfast_worker;

-- Storage targets, vaults on them, and the leases of whoever writes there.

create table app.storage_target (
  tenant_id  uuid not null references app.tenant (id),
  id         uuid not null default uuidv7(),
  name       text not null check (char_length(name) between 1 and 200),
  kind       text not null check (kind in ('DIRECTORY')),
  path       text not null check (path like '/%'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version    integer not null default 1,
  primary key (tenant_id, id)
);
create unique index storage_target_name on app.storage_target (tenant_id, lower(name));
select app.protect('app.storage_target', api_may => 'select,insert,update,delete', worker_may => 'select');

-- The right of a tenant to keep a vault on a target that an ancestor owns.
create table app.storage_grant (
  tenant_id         uuid not null references app.tenant (id),
  id                uuid not null default uuidv7(),
  storage_owner_id  uuid not null,
  storage_target_id uuid not null,
  name              text not null check (char_length(name) between 1 and 200),
  quota_bytes       bigint check (quota_bytes > 0),
  revoked_at        timestamptz,
  created_at        timestamptz not null default now(),
  updated_at        timestamptz not null default now(),
  version           integer not null default 1,
  primary key (tenant_id, id)
);
create index storage_grant_newest on app.storage_grant (tenant_id, created_at desc, id desc);
select app.protect('app.storage_grant', api_may => 'select,insert,update', worker_may => 'select', governed => true);

create table app.vault (
  tenant_id         uuid not null references app.tenant (id),
  id                uuid not null default uuidv7(),
  name              text not null check (char_length(name) between 1 and 200),
  storage_target_id uuid,
  storage_grant_id  uuid,
  state             text not null default 'CREATING' check (state in ('CREATING', 'READY', 'UNAVAILABLE')),
  state_code        text,
  state_detail      text,
  stored_bytes      bigint not null default 0 check (stored_bytes >= 0),
  created_at        timestamptz not null default now(),
  updated_at        timestamptz not null default now(),
  version           integer not null default 1,
  primary key (tenant_id, id),
  foreign key (tenant_id, storage_target_id) references app.storage_target (tenant_id, id),
  foreign key (tenant_id, storage_grant_id) references app.storage_grant (tenant_id, id),
  check (num_nonnulls(storage_target_id, storage_grant_id) = 1)
);
create unique index vault_name on app.vault (tenant_id, lower(name));
create index vault_newest on app.vault (tenant_id, created_at desc, id desc);
select app.protect('app.vault', api_may => 'select,insert,update', worker_may => 'select,update');

-- Where a tenant's vault really is. The grant is checked here, on every use.
create function app.resolve_vault(vault_tenant uuid, wanted_vault uuid)
returns table (storage_owner_id uuid, storage_target_id uuid, kind text, path text, quota_bytes bigint)
language sql stable security definer set search_path = app, pg_temp as $$
  select t.tenant_id, t.id, t.kind, t.path, g.quota_bytes
  from app.vault v
  left join app.storage_grant g on g.tenant_id = v.tenant_id and g.id = v.storage_grant_id and g.revoked_at is null
  join app.storage_target t
    on (v.storage_target_id is not null and t.tenant_id = v.tenant_id and t.id = v.storage_target_id)
    or (g.id is not null and t.tenant_id = g.storage_owner_id and t.id = g.storage_target_id)
  where v.tenant_id = vault_tenant and v.id = wanted_vault and vault_tenant = app.write_tenant()
$$;
grant select on app.storage_target, app.storage_grant, app.vault to holdfast_definer;
alter function app.resolve_vault(uuid, uuid) owner to holdfast_definer;
grant execute on function app.resolve_vault(uuid, uuid) to holdfast_worker;

-- Who is alive in a vault. It only judges when to fence: being wrong costs a retry, never data.
create table app.vault_lease (
  tenant_id  uuid not null,
  vault_id   uuid not null,
  session_id uuid not null,
  expires_at timestamptz not null,
  primary key (tenant_id, vault_id, session_id),
  foreign key (tenant_id, vault_id) references app.vault (tenant_id, id)
);
select app.protect('app.vault_lease', api_may => 'select', worker_may => 'select,insert,update,delete');

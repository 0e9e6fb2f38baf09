-- Jobs (one durable workflow each), their progress, restore points and replication.

create table app.restore_point (
  tenant_id     uuid not null,
  id            uuid not null,
  vault_id      uuid not null,
  vm_id         uuid not null,
  job_id        uuid not null,
  vm_name       text not null,
  -- When the VM was as the point has it.
  taken_at      timestamptz not null,
  method        text not null check (method in ('ONLINE')),
  consistency   text not null check (consistency in ('CRASH_PER_DISK', 'CRASH', 'POWERED_OFF')),
  size_bytes    bigint not null check (size_bytes >= 0),
  read_bytes    bigint not null check (read_bytes >= 0),
  stored_bytes  bigint not null check (stored_bytes >= 0),
  -- What an incremental on top of this point needs of the pool: { "pool", "vm", "disks": [{ "diskKey", "anchorVdiUuid", "sourceVdiUuid" }] }
  base          jsonb,
  created_at    timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, vault_id) references app.vault (tenant_id, id),
  foreign key (tenant_id, vm_id) references app.vm (tenant_id, id)
);
create index restore_point_newest on app.restore_point (tenant_id, taken_at desc, id desc);
create index restore_point_of_vm on app.restore_point (tenant_id, vm_id, taken_at desc, id desc);
create index restore_point_in_vault on app.restore_point (tenant_id, vault_id, taken_at desc, id desc);
select app.protect('app.restore_point', api_may => 'select', worker_may => 'select,insert,update');

create table app.restore_point_disk (
  tenant_id        uuid not null,
  id               uuid not null default uuidv7(),
  restore_point_id uuid not null,
  disk_key         text not null,
  name             text not null,
  position         text not null,
  size_bytes       bigint not null check (size_bytes >= 0),
  read_bytes       bigint not null check (read_bytes >= 0),
  stored_bytes     bigint not null check (stored_bytes >= 0),
  path             text not null check (path in ('CHANGED_BLOCKS', 'FULL')),
  -- Why every block was read, where it was.
  full_reason      text,
  primary key (tenant_id, id),
  foreign key (tenant_id, restore_point_id) references app.restore_point (tenant_id, id) on delete cascade
);
create unique index restore_point_disk_key on app.restore_point_disk (tenant_id, restore_point_id, disk_key);
select app.protect('app.restore_point_disk', api_may => 'select', worker_may => 'select,insert,update');

create table app.replication_plan (
  tenant_id     uuid not null references app.tenant (id),
  id            uuid not null default uuidv7(),
  name          text not null check (char_length(name) between 1 and 200),
  vm_id         uuid not null,
  vault_id      uuid not null,
  pool_owner_id uuid not null,
  pool_id       uuid not null,
  pool_grant_id uuid,
  sr_id         uuid not null,
  -- [{ "from": "<source network uuid or null for all others>", "toNetworkId": "<network id>" }]
  network_map   jsonb not null default '[]',
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  deleted_at    timestamptz,
  version       integer not null default 1,
  primary key (tenant_id, id),
  foreign key (tenant_id, vm_id) references app.vm (tenant_id, id),
  foreign key (tenant_id, vault_id) references app.vault (tenant_id, id),
  foreign key (tenant_id, pool_grant_id) references app.pool_grant (tenant_id, id)
);
create unique index replication_plan_name on app.replication_plan (tenant_id, lower(name)) where deleted_at is null;
create index replication_plan_newest on app.replication_plan (tenant_id, created_at desc, id desc);
select app.protect('app.replication_plan', api_may => 'select,insert,update', worker_may => 'select');

create table app.job (
  tenant_id           uuid not null references app.tenant (id),
  id                  uuid not null default uuidv7(),
  kind                text not null check (kind in ('BACKUP', 'RESTORE', 'REPLICATION', 'POOL_INVENTORY', 'VAULT_CREATION')),
  state               text not null default 'QUEUED' check (state in ('QUEUED', 'RUNNING', 'CANCELLING', 'SUCCEEDED',
                        'SUCCEEDED_WITH_WARNINGS', 'FAILED', 'CANCELLED', 'SKIPPED', 'INTERRUPTED', 'EXPIRED')),
  vm_id               uuid,
  pool_id             uuid,
  vault_id            uuid,
  restore_point_id    uuid,
  replication_plan_id uuid,
  -- What was asked, as the workflow is given it: ids and choices, never a secret.
  input               jsonb not null,
  -- What came of it: the shape depends on the kind.
  result              jsonb not null default '{}',
  warnings            jsonb not null default '[]',
  error_code          text,
  error_message       text,
  error_hint          text,
  run_id              text,
  attempt             integer not null default 0,
  actor_tenant_id     uuid not null,
  actor               text not null,
  created_at          timestamptz not null default now(),
  started_at          timestamptz,
  finished_at         timestamptz,
  updated_at          timestamptz not null default now(),
  version             integer not null default 1,
  primary key (tenant_id, id),
  foreign key (tenant_id, vm_id) references app.vm (tenant_id, id),
  foreign key (tenant_id, pool_id) references app.pool (tenant_id, id) on delete cascade,
  foreign key (tenant_id, vault_id) references app.vault (tenant_id, id),
  foreign key (tenant_id, replication_plan_id) references app.replication_plan (tenant_id, id),
  check ((finished_at is null) = (state in ('QUEUED', 'RUNNING', 'CANCELLING')))
);
-- One backup at a time per VM: judged here and nowhere else. Restores and replications make new VMs and may run beside it.
create unique index job_active_on_vm on app.job (tenant_id, vm_id)
  where kind = 'BACKUP' and state in ('QUEUED', 'RUNNING', 'CANCELLING');
create index job_newest on app.job (tenant_id, created_at desc, id desc);
create index job_of_vm on app.job (tenant_id, vm_id, created_at desc, id desc);
-- The reconciler's list: unfinished jobs of all tenants, through app.jobs_to_reconcile.
create index job_unfinished on app.job (updated_at) where state in ('QUEUED', 'RUNNING', 'CANCELLING');
select app.protect('app.job', api_may => 'select,insert,update', worker_may => 'select,insert,update');

create table app.job_progress (
  tenant_id   uuid not null,
  job_id      uuid not null,
  phase       text not null,
  bytes_done  bigint not null default 0,
  bytes_total bigint not null default 0,
  bytes_per_second bigint not null default 0,
  updated_at  timestamptz not null default now(),
  primary key (tenant_id, job_id),
  foreign key (tenant_id, job_id) references app.job (tenant_id, id) on delete cascade
);
select app.protect('app.job_progress', api_may => 'select,insert', worker_may => 'select,insert,update');

-- What a replication has put on the other side.
create table app.replica (
  tenant_id           uuid not null,
  id                  uuid not null default uuidv7(),
  replication_plan_id uuid not null,
  job_id              uuid not null,
  restore_point_id    uuid not null,
  vm_xen_uuid         text not null,
  created_at          timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, replication_plan_id) references app.replication_plan (tenant_id, id),
  foreign key (tenant_id, job_id) references app.job (tenant_id, id),
  foreign key (tenant_id, restore_point_id) references app.restore_point (tenant_id, id)
);
create unique index replica_of_job on app.replica (tenant_id, job_id);
create index replica_newest on app.replica (tenant_id, created_at desc, id desc);
select app.protect('app.replica', api_may => 'select', worker_may => 'select,insert');

-- Whose jobs need a look: nobody has touched the row for a while. The reconciler then acts as each job's own tenant.
create function app.jobs_to_reconcile(idle interval, most integer)
returns table (tenant_id uuid, job_id uuid, kind text, state text, run_id text, updated_at timestamptz)
language sql stable security definer set search_path = app, pg_temp as $$
  select j.tenant_id, j.id, j.kind, j.state, j.run_id, j.updated_at
  from app.job j
  where j.state in ('QUEUED', 'RUNNING', 'CANCELLING') and j.updated_at < now() - idle
  order by j.updated_at
  limit most
$$;
-- The other half of the table: jobs that ended lately, whose workflow may still be open.
create function app.jobs_ended_since(since timestamptz, most integer)
returns table (tenant_id uuid, job_id uuid, kind text, state text, run_id text, finished_at timestamptz)
language sql stable security definer set search_path = app, pg_temp as $$
  select j.tenant_id, j.id, j.kind, j.state, j.run_id, j.finished_at
  from app.job j
  where j.finished_at >= since
  order by j.finished_at
  limit most
$$;
create index job_finished on app.job (finished_at) where finished_at is not null;
grant select on app.job to holdfast_definer;
alter function app.jobs_to_reconcile(interval, integer) owner to holdfast_definer;
alter function app.jobs_ended_since(timestamptz, integer) owner to holdfast_definer;
grant execute on function app.jobs_to_reconcile(interval, integer), app.jobs_ended_since(timestamptz, integer) to holdfast_worker;

-- The tenant tree, its closure, and the walls that every tenant table stands behind.

create table app.tenant (
  id         uuid primary key default uuidv7(),
  tenant_id  uuid not null generated always as (id) stored,
  parent_id  uuid references app.tenant (id),
  kind       text not null check (kind in ('PROVIDER', 'PARTNER', 'CUSTOMER')),
  name       text not null check (char_length(name) between 1 and 200),
  state      text not null default 'ACTIVE' check (state in ('ACTIVE', 'SUSPENDED')),
  -- Whether usage of this tenant is to be charged, and why (not): read by billing with every ledger entry.
  billable        boolean not null default true,
  billable_reason text not null default 'ACTIVE' check (billable_reason in ('ACTIVE', 'TRIAL', 'SUSPENDED', 'LEAVING', 'INTERNAL')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version    integer not null default 1,
  check ((kind = 'PROVIDER') = (parent_id is null))
);
create unique index tenant_one_provider on app.tenant (kind) where kind = 'PROVIDER';
create unique index tenant_name_in_parent on app.tenant (parent_id, lower(name));
alter table app.tenant owner to holdfast_owner;

-- Every (ancestor, descendant) pair, itself included. Only definer functions see it.
create table app.tenant_closure (
  ancestor   uuid not null references app.tenant (id),
  descendant uuid not null references app.tenant (id),
  depth      integer not null check (depth >= 0),
  primary key (ancestor, descendant)
);
create index tenant_closure_up on app.tenant_closure (descendant, ancestor);
alter table app.tenant_closure owner to holdfast_owner;
alter table app.tenant_closure enable row level security;
alter table app.tenant_closure force row level security;

grant select, insert, update on app.tenant to holdfast_definer;
grant select, insert, delete on app.tenant_closure to holdfast_definer;

-- The tenants a statement may see: the subtree of the read root, where that lies in the caller's own subtree. A caller
-- that isn't made for the subtree (`app.reach`) sees its own tenant only.
create function app.scope() returns uuid[] language sql stable security definer set search_path = app, pg_temp as $$
  select array(
    select c.descendant
    from app.tenant_closure c
    where c.ancestor = nullif(current_setting('app.read_root', true), '')::uuid
      and exists (
        select from app.tenant_closure mine
        where mine.ancestor = nullif(current_setting('app.actor_tenant', true), '')::uuid
          and mine.descendant = c.ancestor)
      and (current_setting('app.reach', true) = 'SUBTREE'
        or c.descendant = nullif(current_setting('app.actor_tenant', true), '')::uuid))
$$;

create function app.is_strict_ancestor(above uuid, below uuid) returns boolean
language sql stable security definer set search_path = app, pg_temp as $$
  select exists (select from app.tenant_closure where ancestor = above and descendant = below and depth > 0)
$$;

-- A suspended tenant changes nothing by itself, and nothing below it does; those above it still may.
create function app.may_change(target uuid) returns boolean
language sql stable security definer set search_path = app, pg_temp as $$
  select not exists (
    select from app.tenant_closure up
    join app.tenant t on t.id = up.ancestor
    where up.descendant = target and t.state = 'SUSPENDED'
      and not exists (
        select from app.tenant_closure mine
        where mine.ancestor = nullif(current_setting('app.actor_tenant', true), '')::uuid
          and mine.descendant = t.id and mine.depth > 0))
$$;

-- Puts a tenant table behind its walls: row-level security, one policy per command and role, grants, and a tenant that
-- never changes. `governed` tables are written from above only: nobody raises their own quota or grants.
create function app.protect(
  target regclass, api_may text, worker_may text default '', governed boolean default false
) returns void language plpgsql as $$
declare
  name text := (select relname from pg_class where oid = target);
  seen constant text := 'tenant_id = any ((select app.scope())::uuid[])';
  api_write text := 'tenant_id = (select app.write_tenant()) and ' || seen;
  own constant text := 'tenant_id = (select app.write_tenant())';
  command text;
begin
  if governed then
    api_write := api_write || ' and (select app.is_strict_ancestor(app.actor_tenant(), app.write_tenant()))';
  end if;
  execute format('alter table %s owner to holdfast_owner', target);
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  if name <> 'tenant' then
    execute format('create trigger %I before update of tenant_id on %s for each row execute function app.keep_tenant()',
      name || '_keeps_tenant', target);
  end if;
  execute format('grant select, insert, update, delete on %s to holdfast_maint', target);
  foreach command in array string_to_array(api_may, ',') loop
    execute format('grant %s on %s to holdfast_api', command, target);
    perform app.add_policy(target, name || '_' || command || '_api', command, 'holdfast_api',
      case command when 'select' then seen else api_write end, false);
    if command <> 'select' then
      perform app.add_policy(target, name || '_' || command || '_unless_suspended', command, 'holdfast_api',
        '(select app.may_change(app.write_tenant()))', true);
    end if;
  end loop;
  if worker_may <> '' then
    foreach command in array string_to_array(worker_may, ',') loop
      execute format('grant %s on %s to holdfast_worker', command, target);
      perform app.add_policy(target, name || '_' || command || '_worker', command, 'holdfast_worker', own, false);
    end loop;
  end if;
end
$$;

create function app.add_policy(target regclass, policy text, command text, role name, condition text, restrictive boolean)
returns void language plpgsql as $$
begin
  execute format('create policy %I on %s as %s for %s to %I %s %s', policy, target,
    case when restrictive then 'restrictive' else 'permissive' end, command, role,
    case when command <> 'insert' then 'using (' || condition || ')' else '' end,
    case when command in ('insert', 'update') then 'with check (' || condition || ')' else '' end);
end
$$;

grant usage, create on schema app to holdfast_definer;
alter function app.scope() owner to holdfast_definer;
alter function app.is_strict_ancestor(uuid, uuid) owner to holdfast_definer;
alter function app.may_change(uuid) owner to holdfast_definer;
grant execute on function app.scope(), app.is_strict_ancestor(uuid, uuid), app.may_change(uuid)
  to holdfast_owner, holdfast_api, holdfast_worker, holdfast_relay;

select app.protect('app.tenant', api_may => 'select,update', worker_may => 'select', governed => true);
revoke update on app.tenant from holdfast_api;
grant update (name, state, billable, billable_reason, updated_at, version) on app.tenant to holdfast_api;

-- A new tenant isn't in its creator's scope yet, so it is made by a definer function that judges the parent.
create function app.create_tenant(parent uuid, tenant_kind text, tenant_name text) returns uuid
language plpgsql security definer set search_path = app, pg_temp as $$
declare
  created uuid := uuidv7();
begin
  if parent is null or not parent = any (app.scope()) then
    raise exception 'parent tenant is outside the scope' using errcode = 'insufficient_privilege';
  end if;
  if not app.may_change(parent) then
    raise exception 'parent tenant is suspended' using errcode = 'insufficient_privilege';
  end if;
  if (select kind from app.tenant where id = parent) = 'CUSTOMER' then
    raise exception 'a customer has no tenants below it' using errcode = 'check_violation';
  end if;
  insert into app.tenant (id, parent_id, kind, name) values (created, parent, tenant_kind, tenant_name);
  insert into app.tenant_closure (ancestor, descendant, depth)
    select ancestor, created, depth + 1 from app.tenant_closure where descendant = parent
    union all select created, created, 0;
  return created;
end
$$;

-- The root of the tree, made once, at the first start.
create function app.create_provider(provider_name text) returns uuid
language plpgsql security definer set search_path = app, pg_temp as $$
declare
  created uuid := uuidv7();
begin
  if exists (select from app.tenant) then
    return null;
  end if;
  insert into app.tenant (id, kind, name, billable, billable_reason) values (created, 'PROVIDER', provider_name, false, 'INTERNAL');
  insert into app.tenant_closure (ancestor, descendant, depth) values (created, created, 0);
  return created;
end
$$;

alter function app.create_tenant(uuid, text, text) owner to holdfast_definer;
alter function app.create_provider(text) owner to holdfast_definer;
grant execute on function app.create_tenant(uuid, text, text) to holdfast_api;
grant execute on function app.create_provider(text) to holdfast_api;

-- The roles of the database, and how a statement knows whose rows it may see.
-- Login roles are made by the migration runner from the URLs it is given; these are what they act as.

do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('holdfast_owner',   'nologin nobypassrls'),
      ('holdfast_definer', 'nologin bypassrls'),
      ('holdfast_api',     'nologin nobypassrls'),
      ('holdfast_worker',  'nologin nobypassrls'),
      ('holdfast_relay',   'nologin nobypassrls'),
      ('holdfast_maint',   'nologin bypassrls')
    ) as role(name, attributes)
  loop
    if not exists (select from pg_roles where rolname = wanted.name) then
      execute format('create role %I %s', wanted.name, wanted.attributes);
    end if;
  end loop;
end
$$;

create schema app authorization holdfast_owner;
revoke all on schema public from public;
grant usage on schema app to holdfast_definer, holdfast_api, holdfast_worker, holdfast_relay, holdfast_maint;
grant create on schema app to holdfast_definer;
-- A new function is callable only where a grant says so.
alter default privileges revoke execute on functions from public;

-- The three settings of a transaction. After a commit a setting is '' and not NULL, hence nullif.
create function app.actor_tenant() returns uuid language sql stable
  return nullif(current_setting('app.actor_tenant', true), '')::uuid;
create function app.read_root() returns uuid language sql stable
  return nullif(current_setting('app.read_root', true), '')::uuid;
create function app.write_tenant() returns uuid language sql stable
  return nullif(current_setting('app.write_tenant', true), '')::uuid;

create function app.keep_tenant() returns trigger language plpgsql as $$
begin
  if new.tenant_id is distinct from old.tenant_id then
    raise exception 'tenant_id of %.% never changes', tg_table_schema, tg_table_name
      using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;

alter function app.actor_tenant() owner to holdfast_owner;
alter function app.read_root() owner to holdfast_owner;
alter function app.write_tenant() owner to holdfast_owner;
alter function app.keep_tenant() owner to holdfast_owner;
grant execute on function app.actor_tenant(), app.read_root(), app.write_tenant()
  to holdfast_definer, holdfast_api, holdfast_worker, holdfast_relay, holdfast_maint;

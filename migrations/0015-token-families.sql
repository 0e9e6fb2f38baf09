-- What a credential makes dies with it: every secret knows the tokens that it goes back to, whether they made the token,
-- had this secret made by rotation, or did either for one of those. And looking a token up is reading.

grant create on schema app to holdfast_definer;

alter table app.api_token
  -- Ids of tokens. The token dies with any of them; a secret, with those that it came through.
  add column made_through            uuid[] not null default '{}',
  add column secret_through          uuid[] not null default '{}',
  add column previous_secret_through uuid[] not null default '{}';
alter table app.webhook_endpoint
  -- The credential that made it, or last said where it sends, and all those it goes back to.
  add column made_through uuid[] not null default '{}';

set local role holdfast_maint;
with recursive back as (
  select t.id, t.created_by as maker from app.api_token t where t.created_by is not null
  union
  select b.id, m.created_by from back b join app.api_token m on m.id = b.maker where m.created_by is not null
), made as (
  select id, array_agg(maker) as through from back group by id
)
update app.api_token t set made_through = made.through from made where made.id = t.id;
update app.api_token t
   set secret_through = case when t.rotated_by is null then '{}' else
         array_append(coalesce((select m.made_through from app.api_token m where m.id = t.rotated_by), '{}'), t.rotated_by) end,
       previous_secret_through = case when t.previous_rotated_by is null then '{}' else
         array_append(coalesce((select m.made_through from app.api_token m where m.id = t.previous_rotated_by), '{}'), t.previous_rotated_by) end
 where t.rotated_by is not null or t.previous_rotated_by is not null;
reset role;

create function app.any_revoked(tokens uuid[]) returns boolean
language sql stable security definer set search_path = app, pg_temp as $$
  select exists (select from app.api_token t where t.id = any (tokens) and t.revoked_at is not null)
$$;

drop function app.find_token(bytea);
-- Hash in, actor out. `through` is what the secret goes back to, the token itself included. Written is at most once a
-- minute.
create function app.find_token(hash bytea)
returns table (tenant_id uuid, token_id uuid, name text, scopes text[], reach text, allowed_addresses cidr[],
               expires_at timestamptz, through uuid[])
language plpgsql security definer set search_path = app, pg_temp as $$
declare
  held app.api_token;
  behind uuid[];
begin
  select * into held from app.api_token t
   where (t.secret_hash = hash or t.previous_secret_hash = hash and t.previous_secret_expires_at > now())
     and t.revoked_at is null and t.expires_at > now();
  if held.id is null then
    return;
  end if;
  behind := held.made_through
    || case when held.secret_hash = hash then held.secret_through else held.previous_secret_through end;
  if app.any_revoked(behind) then
    return;
  end if;
  if held.last_used_at is null or held.last_used_at <= now() - interval '1 minute' then
    update app.api_token t set last_used_at = now()
     where t.tenant_id = held.tenant_id and t.id = held.id
       and (t.last_used_at is null or t.last_used_at <= now() - interval '1 minute');
  end if;
  return query select held.tenant_id, held.id, held.name, held.scopes, held.reach, held.allowed_addresses, held.expires_at,
    array(select distinct id from unnest(array_append(behind, held.id)) id order by id);
end
$$;
drop function app.maker_was_revoked(uuid);

-- Of a token that has just been revoked: the tokens that it made are revoked and the endpoints disabled, whoever's they
-- are, each with an event of its own.
create function app.end_what_token_made(owner uuid, token uuid) returns table (tokens bigint, endpoints bigint)
language plpgsql security definer set search_path = app, pg_temp as $$
begin
  if owner is distinct from app.write_tenant() or not owner = any (app.scope()) or not app.may_change(owner)
    or not exists (select from app.api_token t where t.tenant_id = owner and t.id = token and t.revoked_at is not null)
  then
    raise exception 'only what a revoked token of the written tenant has made is ended' using errcode = 'insufficient_privilege';
  end if;
  return query
    with ended as (
      update app.api_token t set revoked_at = now(), version = t.version + 1
       where t.made_through @> array[token] and t.revoked_at is null
      returning t.tenant_id, t.id, t.name
    ), stopped as (
      update app.webhook_endpoint e set state = 'DISABLED', updated_at = now(), version = e.version + 1
       where e.made_through @> array[token] and e.state = 'ENABLED'
      returning e.tenant_id, e.id, e.name
    ), dropped as (
      update app.webhook_delivery d set state = 'FAILED', last_error = 'The endpoint was disabled.'
        from stopped s where d.tenant_id = s.tenant_id and d.endpoint_id = s.id and d.state = 'PENDING'
    ), told as (
      insert into app.event (tenant_id, type, subject_type, subject_id, data)
      select e.tenant_id, 'token.revoked', 'ApiToken', e.id, jsonb_build_object('name', e.name, 'withItsMaker', true) from ended e
      union all
      select s.tenant_id, 'webhook_endpoint.disabled', 'WebhookEndpoint', s.id,
             jsonb_build_object('name', s.name, 'withItsMaker', true) from stopped s
    )
    select (select count(*) from ended), (select count(*) from stopped);
end
$$;

-- An endpoint of a revoked credential gets nothing, also where it was made at the very moment of the revocation.
create or replace function app.endpoints_for(event_tenant uuid, event_type text)
returns table (tenant_id uuid, endpoint_id uuid)
language sql stable security definer set search_path = app, pg_temp as $$
  select e.tenant_id, e.id
  from app.tenant_closure up
  join app.webhook_endpoint e on e.tenant_id = up.ancestor
  where up.descendant = event_tenant and e.state = 'ENABLED'
    and (up.depth = 0 or e.reach = 'SUBTREE')
    and not app.any_revoked(e.made_through)
    and exists (
      select from unnest(e.event_types) wanted
      where wanted = event_type or (right(wanted, 1) = '*' and starts_with(event_type, left(wanted, -1))))
$$;

grant update (state, updated_at, version) on app.webhook_endpoint to holdfast_definer;
grant select, update (state, last_error) on app.webhook_delivery to holdfast_definer;
alter function app.any_revoked(uuid[]) owner to holdfast_definer;
alter function app.find_token(bytea) owner to holdfast_definer;
alter function app.end_what_token_made(uuid, uuid) owner to holdfast_definer;
revoke execute on function app.any_revoked(uuid[]), app.find_token(bytea), app.end_what_token_made(uuid, uuid) from public;
grant execute on function app.find_token(bytea), app.end_what_token_made(uuid, uuid) to holdfast_api;

revoke create on schema app from holdfast_definer;

-- Machine credentials. Only hashes are stored; a second secret lives while a token rotates.

create table app.api_token (
  tenant_id   uuid not null references app.tenant (id),
  id          uuid not null default uuidv7(),
  name        text not null check (char_length(name) between 1 and 200),
  scopes      text[] not null check (cardinality(scopes) > 0),
  reach       text not null default 'SELF' check (reach in ('SELF', 'SUBTREE')),
  allowed_addresses cidr[] not null default '{}',
  secret_hash bytea not null,
  previous_secret_hash       bytea,
  previous_secret_expires_at timestamptz,
  -- Rights are judged at use: a token never has more than the token that made it still has.
  created_by   uuid,
  -- Who had the secrets made that came by rotation: they die with that token, as what it made does.
  rotated_by          uuid,
  previous_rotated_by uuid,
  created_at   timestamptz not null default now(),
  expires_at   timestamptz not null,
  revoked_at   timestamptz,
  last_used_at timestamptz,
  version      integer not null default 1,
  primary key (tenant_id, id),
  check (expires_at <= created_at + interval '366 days')
);
-- Looked up by hash before the tenant is known.
create unique index api_token_secret on app.api_token (secret_hash);
create unique index api_token_previous_secret on app.api_token (previous_secret_hash) where previous_secret_hash is not null;
-- Tokens made by a token may be another tenant's.
create unique index api_token_id on app.api_token (id);
create index api_token_newest on app.api_token (tenant_id, created_at desc, id desc);
select app.protect('app.api_token', api_may => 'select,insert,update');

-- Whether any token that this one descends from was revoked: what a leaked token made dies with it.
create function app.maker_was_revoked(token uuid) returns boolean
language sql stable security definer set search_path = app, pg_temp as $$
  with recursive made_by as (
    select t.created_by, t.revoked_at from app.api_token t where t.id = token
    union
    select t.created_by, t.revoked_at from app.api_token t join made_by on t.id = made_by.created_by
  )
  select exists (select from made_by where revoked_at is not null)
$$;

create function app.find_token(hash bytea)
returns table (tenant_id uuid, token_id uuid, name text, scopes text[], reach text, allowed_addresses cidr[], expires_at timestamptz)
language plpgsql security definer set search_path = app, pg_temp as $$
begin
  return query
    update app.api_token t
       set last_used_at = case when t.last_used_at > now() - interval '1 minute' then t.last_used_at else now() end
     where (t.secret_hash = hash and not app.maker_was_revoked(t.rotated_by)
         or t.previous_secret_hash = hash and t.previous_secret_expires_at > now()
            and not app.maker_was_revoked(t.previous_rotated_by))
       and t.revoked_at is null and t.expires_at > now()
       and not app.maker_was_revoked(t.id)
    returning t.tenant_id, t.id, t.name, t.scopes, t.reach, t.allowed_addresses, t.expires_at;
end
$$;

-- The first token of the installation: works only while the provider has none.
create function app.create_first_token(provider uuid, hash bytea, token_scopes text[], expiry timestamptz) returns uuid
language plpgsql security definer set search_path = app, pg_temp as $$
declare
  created uuid := uuidv7();
begin
  if exists (select from app.api_token) then
    return null;
  end if;
  insert into app.api_token (tenant_id, id, name, scopes, reach, secret_hash, expires_at)
    values (provider, created, 'First administrator', token_scopes, 'SUBTREE', hash, expiry);
  return created;
end
$$;

grant select, insert, update on app.api_token to holdfast_definer;
alter function app.maker_was_revoked(uuid) owner to holdfast_definer;
alter function app.find_token(bytea) owner to holdfast_definer;
alter function app.create_first_token(uuid, bytea, text[], timestamptz) owner to holdfast_definer;
grant execute on function app.find_token(bytea), app.create_first_token(uuid, bytea, text[], timestamptz) to holdfast_api;

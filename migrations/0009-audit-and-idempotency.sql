-- Who did what, and what a repeated request gets.

create table app.audit_entry (
  tenant_id       uuid not null references app.tenant (id),
  id              uuid not null default uuidv7(),
  actor_tenant_id uuid not null,
  -- "token:<uuid>" or "system:<part>"
  actor           text not null,
  action          text not null,
  subject_type    text not null,
  subject_id      uuid not null,
  detail          jsonb not null default '{}',
  request_id      text,
  address         text,
  occurred_at     timestamptz not null default now(),
  primary key (tenant_id, id)
);
create index audit_entry_newest on app.audit_entry (tenant_id, occurred_at desc, id desc);
select app.protect('app.audit_entry', api_may => 'select,insert', worker_may => 'select,insert');

create table app.idempotency_key (
  tenant_id   uuid not null references app.tenant (id),
  actor       text not null,
  operation   text not null,
  key         text not null check (char_length(key) between 1 and 255),
  fingerprint bytea not null,
  -- Ids of what came of it, never content: a replay reads them again. { "type", "id" } or { "userErrors" }
  outcome     jsonb not null,
  created_at  timestamptz not null default now(),
  expires_at  timestamptz not null,
  primary key (tenant_id, actor, operation, key)
);
select app.protect('app.idempotency_key', api_may => 'select,insert,update,delete');

revoke create on schema app from holdfast_definer;

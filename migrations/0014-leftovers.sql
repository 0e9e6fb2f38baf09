-- Jobs that ended although their clean-up was not complete, because a pool was away: the reconciler comes back to them.

grant create on schema app to holdfast_definer;

create index job_left_behind on app.job (finished_at) where finished_at is not null and journal @> '{"leftBehind": true}';
create function app.jobs_with_leftovers(most integer)
returns table (tenant_id uuid, job_id uuid, kind text, state text, run_id text)
language sql stable security definer set search_path = app, pg_temp as $$
  select j.tenant_id, j.id, j.kind, j.state, j.run_id
  from app.job j
  where j.finished_at is not null and j.journal @> '{"leftBehind": true}' and j.finished_at > now() - interval '30 days'
  order by j.finished_at desc
  limit most
$$;
alter function app.jobs_with_leftovers(integer) owner to holdfast_definer;
grant execute on function app.jobs_with_leftovers(integer) to holdfast_worker;

revoke create on schema app from holdfast_definer;

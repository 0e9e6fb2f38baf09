-- What a job's clean-up needs to know, written before the world is touched; the parts of its progress; and which sites
-- a worker has to serve.

grant create on schema app to holdfast_definer;

-- { "kind": "BACKUP" | "RESTORE", "siteId", ... }: ids and the random name of a snapshot, never a secret.
alter table app.job add column journal jsonb not null default '{}';

-- { "<disk>": { "done", "total" } } in bytes: disks move side by side, perhaps on several movers.
alter table app.job_progress add column parts jsonb not null default '{}';

-- One disk's step forward. The rate follows the last few seconds.
create function app.report_progress(wanted_tenant uuid, wanted_job uuid, new_phase text, part text, done bigint, total bigint)
returns void language sql set search_path = app, pg_temp as $$
  insert into app.job_progress as p (tenant_id, job_id, phase, bytes_done, bytes_total, parts)
    values (wanted_tenant, wanted_job, new_phase, done, total,
            case when part = '' then '{}' else jsonb_build_object(part, jsonb_build_object('done', done, 'total', total)) end)
  on conflict (tenant_id, job_id) do update set
    (phase, parts, bytes_done, bytes_total, bytes_per_second, updated_at) = (
      select new_phase, next.parts, sums.done, sums.total,
             case when sums.done <= p.bytes_done or now() <= p.updated_at then p.bytes_per_second
                  else (0.6 * p.bytes_per_second
                        + 0.4 * (sums.done - p.bytes_done) / extract(epoch from now() - p.updated_at))::bigint end,
             now()
      from (select case when part = '' then p.parts else p.parts || excluded.parts end) next(parts),
           lateral (select coalesce(sum((item ->> 'done')::bigint), 0)::bigint, coalesce(sum((item ->> 'total')::bigint), 0)::bigint
                    from jsonb_each(next.parts) each(name, item)) sums(done, total))
$$;
alter function app.report_progress(uuid, uuid, text, text, bigint, bigint) owner to holdfast_owner;
grant execute on function app.report_progress(uuid, uuid, text, text, bigint, bigint) to holdfast_worker;

create function app.sites_to_serve() returns table (tenant_id uuid, site_id uuid)
language sql stable security definer set search_path = app, pg_temp as $$
  select s.tenant_id, s.id from app.site s order by s.id
$$;
grant select on app.site to holdfast_definer;
alter function app.sites_to_serve() owner to holdfast_definer;
grant execute on function app.sites_to_serve() to holdfast_worker;

revoke create on schema app from holdfast_definer;

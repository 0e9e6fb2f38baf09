import { Client } from 'pg';

/** A rule over `pg_catalog`: a query that lists what breaks it, one name a row. */
export interface Rule {
  readonly says: string;
  readonly query: string;
}

const TABLES = `pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'app' and c.relkind in ('r', 'p')`;
const TENANT_TABLES = `(select c.oid, c.relname, c.relowner, c.relrowsecurity, c.relforcerowsecurity, a.attnum as tenant_attnum, a.attnotnull,
    a.atttypid from ${TABLES} join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped) t`;
const PROCESS_ROLES = `('holdfast_api', 'holdfast_worker', 'holdfast_relay')`;

export const RULES: readonly Rule[] = [
  {
    says: 'row-level security is enabled and forced, and the table is owned by holdfast_owner',
    query: `select t.relname as name from ${TENANT_TABLES}
      where not (t.relrowsecurity and t.relforcerowsecurity and t.relowner = 'holdfast_owner'::regrole)`,
  },
  {
    says: 'tenant_id is a uuid that is never null',
    query: `select t.relname as name from ${TENANT_TABLES} where not t.attnotnull or t.atttypid <> 'uuid'::regtype`,
  },
  {
    says: 'a trigger keeps tenant_id as it is',
    query: `select t.relname as name from ${TENANT_TABLES} where t.relname <> 'tenant' and not exists (
      select from pg_trigger g where g.tgrelid = t.oid and g.tgfoid = 'app.keep_tenant()'::regprocedure and g.tgenabled <> 'D')`,
  },
  {
    says: 'the primary key begins with tenant_id, and every other unique key and index too',
    query: `select x.relname as name from ${TENANT_TABLES} join pg_index i on i.indrelid = t.oid join pg_class x on x.oid = i.indexrelid
      where i.indkey[0] <> t.tenant_attnum`,
  },
  {
    says: 'foreign keys between tenant tables carry the tenant on both sides',
    query: `select k.conname as name from pg_constraint k join ${TENANT_TABLES} on t.oid = k.conrelid
      join pg_attribute other on other.attrelid = k.confrelid and other.attname = 'tenant_id'
      where k.contype = 'f' and not exists (
        select from unnest(k.conkey, k.confkey) as pair(here, there)
        where pair.here = t.tenant_attnum
          and (pair.there = other.attnum or k.confrelid = 'app.tenant'::regclass and pair.there = 1))`,
  },
  {
    says: 'every right that a process role has on a table has a policy of its own for that command and role',
    query: `select t.relname || ' ' || g.privilege || ' ' || r.rolname as name
      from ${TENANT_TABLES} cross join pg_roles r
      cross join (values ('SELECT', 'r'), ('INSERT', 'a'), ('UPDATE', 'w'), ('DELETE', 'd')) as g(privilege, command)
      where r.rolname in ${PROCESS_ROLES}
        and (has_table_privilege(r.oid, t.oid, g.privilege)
          or g.privilege in ('SELECT', 'INSERT', 'UPDATE') and has_any_column_privilege(r.oid, t.oid, g.privilege))
        and not exists (select from pg_policy p where p.polrelid = t.oid and p.polpermissive
          and p.polcmd = g.command::"char" and p.polroles = array[r.oid])`,
  },
  {
    says: 'no policy is FOR ALL or for PUBLIC',
    query: `select p.polname as name from pg_policy p where p.polcmd = '*' or 0 = any (p.polroles)`,
  },
  {
    says: 'every policy asks for the tenant',
    query: `select p.polname as name from pg_policy p where p.polpermissive and (
      pg_get_expr(p.polqual, p.polrelid) is not null and pg_get_expr(p.polqual, p.polrelid) !~ '\\mtenant_id = '
      or pg_get_expr(p.polwithcheck, p.polrelid) is not null and pg_get_expr(p.polwithcheck, p.polrelid) !~ '\\mtenant_id = ')`,
  },
  {
    says: 'what the api writes lies in the write tenant and in the scope',
    query: `select p.polname as name from pg_policy p
      where p.polpermissive and p.polcmd <> 'r' and p.polroles = array['holdfast_api'::regrole::oid]
        and not (coalesce(pg_get_expr(p.polwithcheck, p.polrelid), pg_get_expr(p.polqual, p.polrelid)) ~ 'write_tenant'
          and coalesce(pg_get_expr(p.polwithcheck, p.polrelid), pg_get_expr(p.polqual, p.polrelid)) ~ 'scope')`,
  },
  {
    says: 'a suspended tenant writes nothing through the api',
    query: `select p.polname as name from pg_policy p
      where p.polpermissive and p.polcmd <> 'r' and p.polroles = array['holdfast_api'::regrole::oid]
        and not exists (select from pg_policy s where s.polrelid = p.polrelid and s.polcmd = p.polcmd
          and not s.polpermissive and s.polroles = p.polroles)`,
  },
  {
    says: 'no policy calls a volatile function or casts the column',
    query: `select p.polname as name from pg_policy p where
        coalesce(pg_get_expr(p.polqual, p.polrelid), '') || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '') ~ 'tenant_id\\)?::'
        or exists (select from pg_depend d join pg_proc f on f.oid = d.refobjid and d.refclassid = 'pg_proc'::regclass
          where d.classid = 'pg_policy'::regclass and d.objid = p.oid and f.provolatile = 'v')`,
  },
  {
    says: 'columns are text with a check, never an enum; bigint, never numeric',
    query: `select c.relname || '.' || a.attname as name from ${TABLES} join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
      join pg_type y on y.oid = a.atttypid where y.typtype = 'e' or y.oid = 'numeric'::regtype`,
  },
  {
    says: 'process roles own nothing, bypass nothing, create nothing',
    query: `select rolname as name from pg_roles r where rolname in ${PROCESS_ROLES} and (
      rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolcanlogin
      or has_schema_privilege(oid, 'app', 'CREATE') or has_schema_privilege(oid, 'public', 'CREATE')
      or exists (select from pg_class where relowner = r.oid) or exists (select from pg_proc where proowner = r.oid))`,
  },
  {
    says: 'nobody may TRUNCATE, REFERENCE or put TRIGGERs, and PUBLIC may nothing',
    query: `select c.relname || ' ' || g.privilege_type || ' ' || coalesce(r.rolname, 'PUBLIC') as name
      from ${TABLES} cross join aclexplode(c.relacl) g left join pg_roles r on r.oid = g.grantee
      where g.grantee = 0 or g.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER')
        and g.grantee <> c.relowner`,
  },
  {
    says: 'functions that run as their definer belong to holdfast_definer, fix their search path, and are closed to PUBLIC',
    query: `select f.proname as name from pg_proc f join pg_namespace n on n.oid = f.pronamespace and n.nspname = 'app'
      where f.prosecdef and not (f.proowner = 'holdfast_definer'::regrole
        and exists (select from unnest(f.proconfig) s where s like 'search_path=%')
        and not has_function_privilege('public', f.oid, 'EXECUTE'))`,
  },
  {
    says: 'views see what their reader sees, and nothing is materialised',
    query: `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'app'
      where c.relkind = 'm' or c.relkind = 'v' and not coalesce(c.reloptions::text[] @> '{security_invoker=true}', false)`,
  },
  {
    says: 'a table without tenant_id is on the list',
    query: `select c.relname as name from ${TABLES} where not exists (
      select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped)`,
  },
];

/** Runs a rule as the superuser and gives back the names of what breaks it. */
export async function broken(client: Client, rule: Rule): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(rule.query);
  return rows.map(({ name }) => name).toSorted();
}

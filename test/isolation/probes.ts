import type { Client } from 'pg';
import type { Tenants } from './probe-database.ts';

export type Command = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';

export interface Right {
  readonly table: string;
  readonly role: string;
  readonly command: Command;
  readonly governed: boolean;
}

/** Who asks, as the settings say it, for whose row (null: for every row), and how many rows that is to reach. */
interface Probe {
  readonly name: string;
  readonly actor: string;
  readonly writes: string;
  readonly reach: 'SELF' | 'SUBTREE';
  readonly row: string | null;
  readonly rows: 0 | 1;
  readonly suspended?: string;
}

/** Every right that a process role has on a tenant table. */
export async function rights(client: Client): Promise<Right[]> {
  const { rows } = await client.query<Right>(
    `select c.relname as table, r.rolname as role, g.command,
       exists (select from pg_policy p where p.polrelid = c.oid and pg_get_expr(coalesce(p.polwithcheck, p.polqual), c.oid) ~ 'is_strict_ancestor') as governed
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
     cross join pg_roles r cross join (values ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) as g(command)
     where c.relnamespace = 'app'::regnamespace and c.relkind = 'r' and r.rolname in ('holdfast_api', 'holdfast_worker', 'holdfast_relay')
       and (has_table_privilege(r.oid, c.oid, g.command)
         or g.command <> 'DELETE' and has_any_column_privilege(r.oid, c.oid, case g.command when 'DELETE' then 'SELECT' else g.command end))
     order by 1, 2, 3`,
  );
  return rows;
}

/** Tries one right in every way that matters; gives back what came out other than it must. */
export async function probe(client: Client, tenants: Tenants, right: Right): Promise<string[]> {
  const wrong: string[] = [];
  for (const one of probesOf(right, tenants)) {
    const rows = await attempt(client, right, one);
    if (rows !== one.rows) {
      wrong.push(`${right.role} ${right.command} ${right.table}: ${one.name} reached ${rows} rows`);
    }
  }
  return wrong;
}

function probesOf({ role, command, governed }: Right, tenants: Tenants): Probe[] {
  const { ours, theirs } = tenants;
  const own = { actor: ours, writes: ours, reach: 'SELF' } as const;
  if (role === 'holdfast_relay') {
    return [{ ...own, name: 'the relay, any row', row: theirs, rows: 1 }];
  }
  const mayOwn = command === 'SELECT' || role === 'holdfast_worker' || !governed ? 1 : 0;
  const common: Probe[] = [
    { ...own, name: 'its own row', row: ours, rows: mayOwn },
    { ...own, name: 'a neighbour’s row', row: theirs, rows: 0 },
    { ...own, name: 'whatever it reaches', row: null, rows: mayOwn },
  ];
  return role === 'holdfast_worker'
    ? withoutBlindInsert(common, command)
    : withoutBlindInsert([...common, ...apiProbes(command, tenants)], command);
}

/** What may be done from above, and what a suspension stops. */
function apiProbes(command: Command, { root, middle, ours, theirs }: Tenants): Probe[] {
  const above = { actor: root, writes: ours, reach: 'SUBTREE' } as const;
  const between = { actor: middle, writes: ours, reach: 'SUBTREE' } as const;
  const own = { actor: ours, writes: ours, reach: 'SELF' } as const;
  const read = command === 'SELECT' ? 1 : 0;
  const probes: Probe[] = [
    { ...above, name: 'from above', row: ours, rows: 1 },
    { ...above, name: 'from above, another than the write tenant', row: theirs, rows: read },
    { ...own, writes: theirs, name: 'a neighbour’s row as the write tenant', row: theirs, rows: 0 },
    { ...above, reach: 'SELF', name: 'from above without the reach', row: ours, rows: 0 },
    { ...own, name: 'its own row while suspended', row: ours, rows: read, suspended: ours },
    { ...between, name: 'from above while that one is suspended', row: ours, rows: read, suspended: middle },
    { ...above, name: 'from above the suspended one', row: ours, rows: 1, suspended: middle },
  ];
  return command === 'SELECT'
    ? probes
    : [...probes, { ...above, name: 'from above, whatever it reaches', row: null, rows: 1 }];
}

function withoutBlindInsert(probes: Probe[], command: Command): Probe[] {
  return command === 'INSERT' ? probes.filter(({ row }) => row !== null) : probes;
}

async function attempt(client: Client, right: Right, one: Probe): Promise<number> {
  await client.query('begin');
  try {
    if (one.suspended !== undefined) {
      await client.query(`update app.tenant set state = 'SUSPENDED' where id = $1`, [one.suspended]);
    }
    const statement = await statementOf(client, right, one.row);
    await client.query(
      `select set_config('app.actor_tenant', $1, true), set_config('app.read_root', $1, true),
              set_config('app.write_tenant', $2, true), set_config('app.reach', $3, true)`,
      [one.actor, one.writes, one.reach],
    );
    await client.query(`set local role ${right.role}`);
    return (await client.query(statement)).rowCount ?? 0;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '42501') {
      return 0;
    }
    throw error;
  } finally {
    await client.query('rollback');
  }
}

/** Without a tenant the statement reads no column: then the policy for reading does not help. */
async function statementOf(client: Client, { table, role, command }: Right, tenant: string | null): Promise<string> {
  const where = tenant === null ? '' : `where tenant_id = '${tenant}'`;
  if (command === 'SELECT') {
    return `select tenant_id from app.${table} ${where}`;
  }
  if (command === 'DELETE') {
    return `delete from app.${table} ${where}`;
  }
  const columns = await columnsFor(client, table, role, command);
  if (command === 'UPDATE') {
    return `update app.${table} set ${columns[0]} = ${tenant === null ? 'null' : columns[0]} ${where}`;
  }
  const { rows } = await client.query<{ row: object }>(`select to_jsonb(t) as row from app.${table} t ${where}`);
  await client.query(`delete from app.${table} ${where}`);
  const row = JSON.stringify(rows[0]?.row).replaceAll(`'`, `''`);
  const list = columns.join(', ');
  return `insert into app.${table} (${list}) select ${list} from jsonb_populate_record(null::app.${table}, '${row}')`;
}

async function columnsFor(client: Client, table: string, role: string, command: Command): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select a.attname as name from pg_attribute a where a.attrelid = ('app.' || $1)::regclass and a.attnum > 0
       and not a.attisdropped and a.attgenerated = '' and has_column_privilege($2::name, a.attrelid, a.attnum, $3)
       and not ($3 = 'UPDATE' and a.attname = 'tenant_id')
     order by a.attnum desc`,
    [table, role, command],
  );
  return rows.map(({ name }) => name);
}

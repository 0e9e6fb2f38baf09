import { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { VALUE_OF_TYPE } from './value-of-type.ts';

export interface Tenants {
  readonly root: string;
  /** Below the root, above `ours`. */
  readonly middle: string;
  readonly ours: string;
  readonly theirs: string;
}

export interface ProbeDatabase {
  readonly client: Client;
  readonly tenants: Tenants;
  close(): Promise<void>;
}

/** Where a policy asks for more than the tenant, the row that it lets through. */
const VALUES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  event: { subject_type: `'WebhookEndpoint'`, type: `'webhook_endpoint.gone'` },
};

/**
 * A provider with two customers, one of them below a partner, and one row of each customer in every tenant table, whatever tables there are: checks, foreign keys
 * and triggers are out of the way first, so that rows can be made from the columns' types alone.
 */
export async function openProbeDatabase(): Promise<ProbeDatabase> {
  const database: TestDatabase = await createTestDatabase();
  const client = new Client({ connectionString: database.adminUrl });
  await client.connect();
  await dropConstraints(client);
  const tenants = await makeTenants(client);
  for (const table of await tenantTables(client)) {
    for (const tenant of [tenants.ours, tenants.theirs]) {
      await seed(client, table, tenant);
    }
  }
  await dropNotNull(client);
  const close = async (): Promise<void> => {
    await client.end();
    await database.drop();
  };
  return { client, tenants, close };
}

export async function tenantTables(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
     where c.relnamespace = 'app'::regnamespace and c.relkind = 'r' order by 1`,
  );
  return rows.map(({ name }) => name);
}

async function dropConstraints(client: Client): Promise<void> {
  const { rows } = await client.query<{ drop: string }>(
    `select format('alter table %s drop constraint %I', conrelid::regclass, conname) as drop from pg_constraint
     where connamespace = 'app'::regnamespace and contype in ('f', 'c') and conrelid <> 'app.tenant_closure'::regclass
     union all select format('alter table app.%I disable trigger user', relname) from pg_class
     where relnamespace = 'app'::regnamespace and relkind = 'r'`,
  );
  for (const { drop } of rows) {
    await client.query(drop);
  }
}

/** So that an update can set null and thereby read no column. */
async function dropNotNull(client: Client): Promise<void> {
  const { rows } = await client.query<{ loosen: string }>(
    `select format('alter table app.%I alter %I drop not null', c.relname, a.attname) as loosen
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and a.attnotnull and a.attgenerated = ''
     where c.relnamespace = 'app'::regnamespace and c.relkind = 'r'
       and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and a.attnum = any (i.indkey))`,
  );
  for (const { loosen } of rows) {
    await client.query(loosen);
  }
}

async function makeTenants(client: Client): Promise<Tenants> {
  const root = await oneId(client, `select app.create_provider('Root') as id`);
  await client.query(
    `select set_config('app.actor_tenant', $1, false), set_config('app.read_root', $1, false),
    set_config('app.reach', 'SUBTREE', false)`,
    [root],
  );
  const middle = await oneId(client, `select app.create_tenant('${root}', 'PARTNER', 'Middle') as id`);
  const ours = await oneId(client, `select app.create_tenant('${middle}', 'CUSTOMER', 'Ours') as id`);
  const theirs = await oneId(client, `select app.create_tenant('${root}', 'CUSTOMER', 'Theirs') as id`);
  await client.query('reset all');
  return { root, middle, ours, theirs };
}

async function oneId(client: Client, query: string): Promise<string> {
  return (await client.query<{ id: string }>(query)).rows[0]?.id ?? '';
}

async function seed(client: Client, table: string, tenant: string): Promise<void> {
  if (table === 'tenant') {
    return;
  }
  const { rows } = await client.query<{ name: string; type: string; needed: boolean }>(
    `select a.attname as name, y.typname as type, a.attnotnull as needed
     from pg_attribute a join pg_type y on y.oid = a.atttypid
     where a.attrelid = ('app.' || $1)::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''`,
    [table],
  );
  const columns = rows.filter(({ needed }) => needed);
  const values = columns.map(({ name, type }) => {
    if (name === 'tenant_id') {
      return `'${tenant}'`;
    }
    return VALUES[table]?.[name] ?? (type.startsWith('_') ? `'{}'` : (VALUE_OF_TYPE[type] ?? 'null'));
  });
  const names = columns.map(({ name }) => name).join(', ');
  await client.query(`insert into app.${table} (${names}) values (${values.join(', ')})`);
}

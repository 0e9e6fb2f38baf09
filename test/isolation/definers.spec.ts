import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
let client: Client;
let root: string;
let partner: string;
let customer: string;
let sibling: string;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.adminUrl });
  await client.connect();
  root = await valueOf(`select app.create_provider('Root') as value`);
  await as({ actor: root, writes: root }, null);
  partner = await valueOf(`select app.create_tenant($1, 'PARTNER', 'Partner') as value`, [root]);
  customer = await valueOf(`select app.create_tenant($1, 'CUSTOMER', 'Customer') as value`, [partner]);
  sibling = await valueOf(`select app.create_tenant($1, 'PARTNER', 'Sibling') as value`, [root]);
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

async function valueOf(statement: string, values: readonly unknown[] = []): Promise<string> {
  const { rows } = await client.query<{ value: string }>(statement, [...values]);
  return rows[0]?.value ?? '';
}

interface Settings {
  readonly actor: string;
  readonly writes: string;
}

/** The rest of the session is this tenant's, in this role. */
async function as({ actor, writes }: Settings, role: string | null): Promise<void> {
  await client.query(
    `select set_config('app.actor_tenant', $1, false), set_config('app.read_root', $1, false),
            set_config('app.write_tenant', $2, false), set_config('app.reach', 'SUBTREE', false)`,
    [actor, writes],
  );
  await client.query(role === null ? 'reset role' : `set role ${role}`);
}

async function refusal(settings: Settings, role: string, statement: string, values: unknown[]): Promise<unknown> {
  await client.query('begin');
  try {
    await as(settings, role);
    const { rowCount } = await client.query(statement, values);
    return `${rowCount} rows`;
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  } finally {
    await client.query('rollback');
    await client.query('reset role');
  }
}

/** A pool with one SR, a guest and a storage target, all the provider's. */
async function provideThings(): Promise<Record<'pool' | 'sr' | 'guest' | 'target', string>> {
  await client.query('reset role');
  const site = await valueOf(
    `insert into app.site (tenant_id, name) values ($1, uuidv7()::text) returning id as value`,
    [root],
  );
  const secret = await valueOf(
    `insert into app.secret (tenant_id, purpose, sealed) values ($1, 'POOL_PASSWORD', '') returning id as value`,
    [root],
  );
  const pool = await valueOf(
    `insert into app.pool (tenant_id, site_id, name, url, username, password_id)
     values ($1, $2, 'Rack', 'https://10.0.0.5', 'root', $3) returning id as value`,
    [root, site, secret],
  );
  const sr = await valueOf(
    `insert into app.pool_sr (tenant_id, pool_id, xen_uuid, name, type, shared, size_bytes, used_bytes, tracks_changes)
     values ($1, $2, 'sr', 'sr', 'ext', true, 1, 1, true) returning id as value`,
    [root, pool],
  );
  const guest = await valueOf(
    `insert into app.pool_vm (tenant_id, pool_id, xen_uuid, name, power_state, memory_bytes, vcpus)
     values ($1, $2, 'vm', 'vm', 'Running', 1, 1) returning id as value`,
    [root, pool],
  );
  const target = await valueOf(
    `insert into app.storage_target (tenant_id, name, kind, path) values ($1, uuidv7()::text, 'DIRECTORY', '/srv') returning id as value`,
    [root],
  );
  return { pool, sr, guest, target };
}

const DENIED = '42501';
const GRANT_POOL = `insert into app.pool_grant (tenant_id, pool_owner_id, pool_id, name, sr_ids) values ($1, $2, $3, 'x', array[$4::uuid])`;
const GRANT_STORAGE = `insert into app.storage_grant (tenant_id, storage_owner_id, storage_target_id, name) values ($1, $2, $3, 'x')`;

describe('what the database does in another’s name', () => {
  it('passes no grant on that the actor does not own or oversee the thing of', async () => {
    const { pool, sr, target } = await provideThings();
    const given = { actor: root, writes: customer };
    const passedOn = { actor: partner, writes: customer };
    for (const [settings, outcome] of [
      [given, '1 rows'],
      [passedOn, DENIED],
    ] as const) {
      expect(await refusal(settings, 'holdfast_api', GRANT_POOL, [customer, root, pool, sr])).toBe(outcome);
      expect(await refusal(settings, 'holdfast_api', GRANT_STORAGE, [customer, root, target])).toBe(outcome);
    }
  });

  it('assigns no VM of a pool that is not the actor’s, nor to anybody outside of its subtree', async () => {
    const { pool, guest } = await provideThings();
    const assign = 'select * from app.assign_vm($1, $2, $3)';
    for (const settings of [
      { actor: partner, writes: root },
      { actor: partner, writes: partner },
      { actor: customer, writes: root },
    ]) {
      expect(await refusal(settings, 'holdfast_api', assign, [root, guest, settings.actor])).toBe(DENIED);
      expect(await refusal(settings, 'holdfast_api', 'select app.release_pool($1, $2)', [root, pool])).toBe(DENIED);
    }
    expect(await refusal({ actor: partner, writes: partner }, 'holdfast_api', assign, [partner, guest, sibling])).toBe(
      DENIED,
    );
  });

  it('makes no tenant beside or above the actor', async () => {
    const create = `select app.create_tenant($1, 'CUSTOMER', 'Sideways')`;
    for (const parent of [root, sibling, null]) {
      expect(await refusal({ actor: partner, writes: partner }, 'holdfast_api', create, [parent])).toBe(DENIED);
    }
    expect(
      await refusal({ actor: root, writes: root }, 'holdfast_api', `select app.create_provider('Second') as id`, []),
    ).toBe('1 rows');
    expect(await valueOf(`select count(*)::text as value from app.tenant where kind = 'PROVIDER'`)).toBe('1');
  });

  it('tells a worker of no pool, vault or name but its tenant’s', async () => {
    const { pool, target } = await provideThings();
    await client.query(`update app.pool set xen_uuid = 'xen' where id = $1`, [pool]);
    const settings = { actor: customer, writes: customer };
    for (const [statement, values] of [
      ['select * from app.resolve_placement($1, $2, $3, null)', [customer, root, pool]],
      ['select * from app.resolve_placement($1, $1, $2, null)', [root, pool]],
      ['select * from app.names_to_conceal($1, null, $2, null, null)', [customer, pool]],
      ['select * from app.names_to_conceal($1, null, $2, null, null)', [sibling, pool]],
      ['select * from app.resolve_vault($1, $2)', [root, target]],
      ['select * from app.granted_places($1)', [root]],
      [`select where app.has_pool_below($1, 'xen')`, [root]],
      [`select where app.has_pool_below($1, 'xen')`, [customer]],
    ] as const) {
      expect(await refusal(settings, 'holdfast_worker', statement, [...values])).toBe('0 rows');
    }
  });

  it('is called by the roles that need it, and by nobody else', async () => {
    const { rows } = await client.query<{ name: string }>(
      `select proname as name from pg_proc where pronamespace = 'app'::regnamespace and has_function_privilege('public', oid, 'execute')`,
    );
    expect(rows).toEqual([]);
    const resolving = `select proname as name from pg_proc where pronamespace = 'app'::regnamespace
      and proname ~ '^(resolve_|has_pool_below|is_provider|names_to_conceal|webhook_secrets|follow_|jobs_|sites_to_serve|late_usage)' and has_function_privilege('holdfast_api', oid, 'execute')`;
    expect((await client.query(resolving)).rows).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openProbeDatabase, type ProbeDatabase } from './probe-database.ts';
import { probe, rights, type Right } from './probes.ts';

interface Policy {
  readonly table: string;
  readonly name: string;
  readonly permissive: boolean;
  readonly inserts: boolean;
  readonly checks: boolean;
}

let database: ProbeDatabase;
let all: Right[];

beforeAll(async () => {
  database = await openProbeDatabase();
  all = await rights(database.client);
});
afterAll(async () => {
  await database.close();
});

async function policies(): Promise<Policy[]> {
  const { rows } = await database.client.query<Policy>(
    `select c.relname as table, p.polname as name, p.polpermissive as permissive, p.polcmd = 'a' as inserts,
            p.polwithcheck is not null as checks
     from pg_policy p join pg_class c on c.oid = p.polrelid order by 1, 2`,
  );
  return rows;
}

async function probeTable(table: string): Promise<string[]> {
  const wrong: string[] = [];
  for (const right of all.filter((one) => one.table === table)) {
    wrong.push(...(await probe(database.client, database.tenants, right)));
  }
  return wrong;
}

/** The probes run in transactions of their own, so the change is made and unmade around them. */
async function caught(policy: Policy, change: string, undo: string): Promise<boolean> {
  await database.client.query(change);
  try {
    return (await probeTable(policy.table)).length > 0;
  } finally {
    await database.client.query(undo);
  }
}

async function definitionOf({ table, name }: Policy): Promise<string> {
  const { rows } = await database.client.query<{ definition: string }>(
    `select format('create policy %I on app.%I as %s for %s to %s', policyname, tablename, permissive, cmd, array_to_string(roles, ', '))
       || coalesce(' using (' || qual || ')', '') || coalesce(' with check (' || with_check || ')', '') as definition
     from pg_policies where schemaname = 'app' and tablename = $1 and policyname = $2`,
    [table, name],
  );
  return rows[0]?.definition ?? '';
}

describe('row-level security, table by table', () => {
  it('gives every role exactly its rows', async () => {
    const wrong: string[] = [];
    for (const right of all) {
      wrong.push(...(await probe(database.client, database.tenants, right)));
    }
    expect(wrong).toEqual([]);
  });

  it('is missed when any policy is dropped, and when any is opened', async () => {
    const survivors: string[] = [];
    const list = await policies();
    let opened = 0;
    for (const policy of list) {
      const definition = await definitionOf(policy);
      const drop = `drop policy ${policy.name} on app.${policy.table}`;
      if (!(await caught(policy, drop, definition))) {
        survivors.push(`dropped ${policy.name}`);
      }
      if (policy.name.endsWith('_relay')) {
        continue;
      }
      opened += 1;
      const using = policy.inserts ? '' : 'using (true)';
      const check = policy.checks ? 'with check (true)' : '';
      const open = `alter policy ${policy.name} on app.${policy.table} ${using} ${check}`;
      if (!(await caught(policy, open, `${drop}; ${definition}`))) {
        survivors.push(`opened ${policy.name}`);
      }
    }
    const made = list.length + opened;
    process.stdout.write(
      `policies: ${list.length} dropped, ${opened} opened, ${made - survivors.length} of ${made} caught\n`,
    );
    expect(survivors).toEqual([]);
  });
});

import 'reflect-metadata';
import { Test, type TestingModule } from '@nestjs/testing';
import * as fc from 'fast-check';
import { Client } from 'pg';
import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toId, type TenantId, type TokenId } from '../../src/kernel/ids.ts';
import type { Actor } from '../../src/platform/auth/actor.ts';
import { ScopeModule } from '../../src/platform/auth/scope.module.ts';
import { TenantScope } from '../../src/platform/auth/tenant-scope.ts';
import { DATA_SOURCE } from '../../src/platform/database/data-source.ts';
import { DatabaseModule } from '../../src/platform/database/database.module.ts';
import { TenantDb } from '../../src/platform/database/tenant-db.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const TENANTS = 12;
/** Two connections, so that every one of them has been many tenants' before. */
const CONNECTIONS = 2;

let database: TestDatabase;
let module: TestingModule;
let db: TenantDb;
let scope: TenantScope;
let tenants: string[];

beforeAll(async () => {
  database = await createTestDatabase();
  tenants = await makeTenants();
  module = await Test.createTestingModule({
    imports: [ScopeModule, DatabaseModule.forRoot({ url: database.url, role: 'holdfast_api', poolSize: CONNECTIONS })],
  }).compile();
  module.enableShutdownHooks([]);
  db = module.get(TenantDb);
  scope = module.get(TenantScope);
});
afterAll(async () => {
  await module.close();
  await database.drop();
});

async function makeTenants(): Promise<string[]> {
  const client = new Client({ connectionString: database.adminUrl });
  await client.connect();
  try {
    const root = await idOf(client, `select app.create_provider('Root') as id`);
    await client.query(
      `select set_config('app.actor_tenant', $1, false), set_config('app.read_root', $1, false), set_config('app.reach', 'SUBTREE', false)`,
      [root],
    );
    const made: string[] = [];
    for (let i = 0; i < TENANTS; i += 1) {
      made.push(await idOf(client, `select app.create_tenant('${root}', 'CUSTOMER', 'T${i}') as id`));
    }
    return made;
  } finally {
    await client.end();
  }
}

async function idOf(client: Client, query: string): Promise<string> {
  return (await client.query<{ id: string }>(query)).rows[0]?.id ?? '';
}

function actorOf(tenantId: string): Actor {
  return {
    tenantId: toId<TenantId>(tenantId),
    tokenId: toId<TokenId>(tenantId),
    through: [],
    name: `token:${tenantId}`,
    permissions: new Set(),
    reach: 'SELF',
    address: null,
  };
}

/** What may happen in the middle of a transaction. */
type Step =
  | 'read'
  | 'insert'
  | 'rename'
  | 'delete'
  | 'bad-sql'
  | 'throw'
  | 'kill'
  | 'time-out'
  | 'nested'
  | 'foreign-insert';
const STEPS: readonly Step[] = [
  'read',
  'read',
  'insert',
  'insert',
  'rename',
  'delete',
  'bad-sql',
  'throw',
  'kill',
  'time-out',
  'nested',
  'foreign-insert',
];

class Seen {
  readonly foreign: string[] = [];
  failures = 0;
}

async function look(em: EntityManager, mine: string, seen: Seen): Promise<void> {
  const rows: { tenant_id: string }[] = await em.query('select tenant_id from app.site');
  seen.foreign.push(...rows.map(({ tenant_id }) => tenant_id).filter((id) => id !== mine));
}

async function perform(em: EntityManager, step: Step, mine: string, other: string, seen: Seen): Promise<void> {
  switch (step) {
    case 'read':
      return await look(em, mine, seen);
    case 'insert':
      return void (await em.query(`insert into app.site (tenant_id, name) values ($1, uuidv7()::text)`, [mine]));
    case 'rename':
      return void (await em.query(`update app.site set name = uuidv7()::text`));
    case 'delete':
      return void (await em.query(`delete from app.site where name < $1`, ['8']));
    case 'bad-sql':
      return void (await em.query('select no_such_column from app.site'));
    case 'throw':
      throw new Error('the work itself failed');
    case 'kill':
      return void (await em.query('select pg_terminate_backend(pg_backend_pid())'));
    case 'time-out':
      await em.query(`set local statement_timeout = '5ms'`);
      return void (await em.query('select pg_sleep(10)'));
    case 'nested':
      return await db.run(async (inner) => await look(inner, mine, seen));
    case 'foreign-insert':
      return void (await em.query(`insert into app.site (tenant_id, name) values ($1, 'stolen')`, [other]));
  }
}

async function transaction(mine: string, other: string, steps: readonly Step[], seen: Seen): Promise<void> {
  await scope.run(actorOf(mine), null, async () => {
    try {
      await db.write({ type: 'Tenant', tenantId: mine }, async (em) => {
        for (const step of steps) {
          await perform(em, step, mine, other, seen);
        }
      });
    } catch {
      seen.failures += 1; // meant to happen: what matters is what is left behind
    }
  });
}

/** What every connection of the pool says of itself, outside of any transaction of ours. */
async function leftovers(): Promise<string[]> {
  const source = module.get<{ query(sql: string): Promise<Record<string, string>[]> }>(DATA_SOURCE);
  const asked = Array.from(
    { length: CONNECTIONS },
    async () =>
      await source.query(`select coalesce(nullif(concat_ws('', current_setting('app.actor_tenant', true),
      current_setting('app.read_root', true), current_setting('app.write_tenant', true)), ''), '') as held,
      (select count(*) from app.site)::text as sites, pg_sleep(0.02)::text as waited`),
  );
  const rows = (await Promise.all(asked)).flat();
  return rows
    .flatMap((row) => [row['held'] ?? '', row['sites'] === '0' ? '' : `${row['sites']} sites`])
    .filter(Boolean);
}

describe('the scope of a transaction', () => {
  it('never outlives it and never shows a foreign row, whatever happens in between', async () => {
    const seen = new Seen();
    let transactions = 0;
    const one = fc.record({
      mine: fc.nat(TENANTS - 1),
      other: fc.nat(TENANTS - 1),
      steps: fc.array(fc.constantFrom(...STEPS), { minLength: 1, maxLength: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(one, { minLength: 4, maxLength: 16 }), async (batch) => {
        transactions += batch.length;
        await Promise.all(
          batch.map(
            async ({ mine, other, steps }) =>
              await transaction(
                tenants[mine] ?? '',
                tenants[other === mine ? (mine + 1) % TENANTS : other] ?? '',
                steps,
                seen,
              ),
          ),
        );
        expect(seen.foreign).toEqual([]);
        expect(await leftovers()).toEqual([]);
      }),
      { numRuns: 40 },
    );
    process.stdout.write(
      `scope: ${transactions} transactions of ${TENANTS} tenants on ${CONNECTIONS} connections, ${seen.failures} of them failed\n`,
    );
    expect(seen.failures).toBeGreaterThan(transactions / 10);
    const stolen = new Client({ connectionString: database.adminUrl });
    await stolen.connect();
    const { rows } = await stolen.query<{ many: string }>(
      `select count(*) as many from app.site where name = 'stolen'`,
    );
    await stolen.end();
    expect(rows[0]?.many).toBe('0');
  });

  it('is refused outside of any scope, across scopes and across write tenants', async () => {
    const [a = '', b = ''] = tenants;
    await expect(db.run(async () => null)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await scope.run(actorOf(a), null, async () => {
      const across = db.run(async () => await scope.run(actorOf(b), null, async () => await db.run(async () => null)));
      await expect(across).rejects.toThrow('entered with another scope');
      const foreign = db.write({ type: 'Site', tenantId: b }, async () => null);
      await expect(foreign).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'Site not found.' });
    });
  });
});

import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { broken, RULES } from './catalogue.ts';
import {
  FOREIGN_KEY_WITHOUT_TENANT,
  INDEX_NOT_BY_TENANT,
  POLICY_FOR_ALL_TENANTS,
  WITHOUT_TENANT,
} from './exceptions.ts';

const ALLOWED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'the primary key begins with tenant_id, and every other unique key and index too': INDEX_NOT_BY_TENANT,
  'foreign keys between tenant tables carry the tenant on both sides': FOREIGN_KEY_WITHOUT_TENANT,
  'every policy asks for the tenant': POLICY_FOR_ALL_TENANTS,
  'a table without tenant_id is on the list': WITHOUT_TENANT,
};

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.adminUrl });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

describe('the catalogue', () => {
  it.each(RULES)('$says', async (rule) => {
    const allowed = Object.keys(ALLOWED[rule.says] ?? {}).toSorted();
    expect(await broken(client, rule)).toEqual(allowed);
  });

  it('speaks of every rule that has exceptions', () => {
    expect(Object.keys(ALLOWED).filter((says) => !RULES.some((rule) => rule.says === says))).toEqual([]);
  });

  it.each([
    [
      'create table app.loose (tenant_id uuid not null, id uuid, primary key (tenant_id, id))',
      'row-level security is enabled',
    ],
    [`create table app.enumerated (id uuid primary key)`, 'a table without'],
    ['grant truncate on app.site to holdfast_api', 'nobody may TRUNCATE'],
    ['alter table app.site no force row level security', 'row-level security is enabled'],
    ['drop policy site_insert_api on app.site', 'every right'],
    ['create policy everything on app.site using (true)', 'no policy is FOR ALL'],
    ['create index by_name on app.site (name)', 'the primary key begins'],
    ['alter function app.scope() owner to holdfast_owner', 'functions that run'],
  ])('would notice: %s', async (change, says) => {
    const rule = RULES.find((one) => one.says.startsWith(says));
    if (rule === undefined) {
      throw new Error(`no rule says: ${says}`);
    }
    const before = await broken(client, rule);
    await client.query('begin');
    try {
      await client.query(change);
      expect((await broken(client, rule)).length).toBeGreaterThan(before.length);
    } finally {
      await client.query('rollback');
    }
  });
});

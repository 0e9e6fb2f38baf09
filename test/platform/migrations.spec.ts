import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { projectFile } from '../../src/platform/project-file.ts';
import { migrate } from '../../src/platform/database/migrations.ts';

let database: TestDatabase;
let folder: string;

beforeEach(async () => {
  database = await createTestDatabase();
  await asAdmin('drop table public.holdfast_migration');
  folder = await mkdtemp(join(tmpdir(), 'holdfast-migrations-'));
  await writeFile(join(folder, '0001-first.sql'), 'create table public.first (id integer)');
});
afterEach(async () => {
  await database.drop();
  await rm(folder, { recursive: true });
});

async function asAdmin<Row extends object>(query: string): Promise<Row[]> {
  const client = new Client({ connectionString: database.adminUrl });
  await client.connect();
  try {
    return (await client.query<Row>(query)).rows;
  } finally {
    await client.end();
  }
}

describe('migrations', () => {
  it('are applied once, also when several processes start at the same moment', async () => {
    const runs = await Promise.all(
      Array.from({ length: 3 }, async () => await migrate({ adminUrl: database.adminUrl, folder })),
    );
    expect(runs.flatMap(({ applied }) => applied)).toEqual(['0001-first.sql']);
  });

  it('leave nothing behind when they fail, and go on where they stopped', async () => {
    const second = join(folder, '0002-second.sql');
    await writeFile(second, 'create table public.half (id integer); select no_such_function()');
    await expect(migrate({ adminUrl: database.adminUrl, folder })).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringContaining('0002-second.sql'),
    });
    expect(
      await asAdmin(`select to_regclass('public.half') as half, to_regclass('public.first') is not null as first`),
    ).toEqual([{ half: null, first: true }]);
    await writeFile(second, 'create table public.half (id integer)');
    expect((await migrate({ adminUrl: database.adminUrl, folder })).applied).toEqual(['0002-second.sql']);
  });

  it('are refused when one has changed since, or when the database is newer', async () => {
    await migrate({ adminUrl: database.adminUrl, folder });
    await writeFile(join(folder, '0001-first.sql'), 'create table public.first (id bigint)');
    await expect(migrate({ adminUrl: database.adminUrl, folder })).rejects.toThrow('was changed after');
    await rm(join(folder, '0001-first.sql'));
    await expect(migrate({ adminUrl: database.adminUrl, folder })).rejects.toThrow('does not know');
  });

  it('make a login that row-level security holds, and refuse one that it does not', async () => {
    const databaseUrl = database.url.replace(/\/\/[^@]*@/, '//made_by_migrate:secret@');
    try {
      await migrate({ adminUrl: database.adminUrl, databaseUrl, folder });
      const client = new Client({ connectionString: databaseUrl, options: '-c role=holdfast_api' });
      await client.connect();
      const { rows } = await client.query('select current_user as acts');
      await client.end();
      expect(rows).toEqual([{ acts: 'holdfast_api' }]);
      await expect(
        migrate({ adminUrl: database.adminUrl, databaseUrl: database.adminUrl, folder }),
      ).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    } finally {
      await asAdmin('drop role if exists made_by_migrate');
    }
  });

  it('say plainly that nobody answers', async () => {
    const adminUrl = 'postgres://postgres@127.0.0.1:1/postgres';
    await expect(migrate({ adminUrl, folder: projectFile('migrations') })).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
    });
  });
});

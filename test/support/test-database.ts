import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';
import { TEMPLATE_DATABASE } from './template-database.ts';

export interface TestDatabase {
  readonly name: string;
  /** What api, worker and relay connect with. */
  readonly url: string;
  /** The superuser's. */
  readonly adminUrl: string;
  /** Removes the database, together with whoever is still connected to it. */
  drop(): Promise<void>;
}

/** Runs one statement as the superuser. */
export async function asSuperuser(statement: string, database = 'postgres'): Promise<void> {
  const client = new Client({ connectionString: `${inject('postgresUrls').admin}${database}` });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** A database of the test's own: a clone of the run's migrated template, there within milliseconds. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await asSuperuser(`create database ${name} template ${TEMPLATE_DATABASE} strategy file_copy`);
  return {
    name,
    url: `${inject('postgresUrls').service}${name}`,
    adminUrl: `${inject('postgresUrls').admin}${name}`,
    drop: async () => await asSuperuser(`drop database if exists ${name} with (force)`),
  };
}

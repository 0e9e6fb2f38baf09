import { Client } from 'pg';
import { migrate } from '../../src/platform/database/migrations.ts';
import { projectFile } from '../../src/platform/project-file.ts';

export const TEMPLATE_DATABASE = 'holdfast_template';

/** The URLs of the run's PostgreSQL, each up to the name of a database. */
export interface PostgresUrls {
  /** The superuser's. */
  readonly admin: string;
  /** The login that api, worker and relay share. */
  readonly service: string;
}

/** Creates and migrates the database that every test's own is cloned from. */
export async function createTemplate({ admin, service }: PostgresUrls): Promise<void> {
  const client = new Client({ connectionString: `${admin}postgres` });
  await client.connect();
  try {
    await client.query(`create database ${TEMPLATE_DATABASE}`);
  } finally {
    await client.end();
  }
  await migrate({
    adminUrl: `${admin}${TEMPLATE_DATABASE}`,
    databaseUrl: `${service}${TEMPLATE_DATABASE}`,
    folder: projectFile('migrations'),
  });
}

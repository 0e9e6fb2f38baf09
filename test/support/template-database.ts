import { Client } from 'pg';

export const TEMPLATE_DATABASE = 'holdfast_template';

/** Creates the database that every test's own is cloned from. */
export async function createTemplate(postgresUrl: string): Promise<void> {
  const client = new Client({ connectionString: `${postgresUrl}postgres` });
  await client.connect();
  try {
    await client.query(`create database ${TEMPLATE_DATABASE}`);
  } finally {
    await client.end();
  }
}

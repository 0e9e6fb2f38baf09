import { Connection } from '@temporalio/client';
import { Client } from 'pg';
import { expect, it } from 'vitest';
import { startOwnPostgres } from '../support/own-postgres.ts';
import { createTestDatabase } from '../support/test-database.ts';
import { testTemporal } from '../support/test-temporal.ts';

it('gives each test a migrated PostgreSQL 18 database of its own', async () => {
  const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  try {
    expect(one.name).not.toBe(other.name);
    const client = new Client({ connectionString: one.url });
    await client.connect();
    const { rows } = await client.query<{ server_version_num: string }>('show server_version_num');
    const applied = await client.query('select from pg_tables where schemaname = $1', ['app']);
    await client.end();
    expect(applied.rowCount).toBeGreaterThan(0);
    expect(Number(rows[0]?.server_version_num)).toBeGreaterThanOrEqual(180_000);
  } finally {
    await Promise.all([one.drop(), other.drop()]);
  }
});

it('gives each test task queues of its own on a real Temporal server', async () => {
  const { address, namespace, taskQueuePrefix } = testTemporal();
  expect(testTemporal().taskQueuePrefix).not.toBe(taskQueuePrefix);
  const connection = await Connection.connect({ address });
  try {
    const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace });
    expect(namespaceInfo?.name).toBe(namespace);
  } finally {
    await connection.close();
  }
});

it('gives a test a PostgreSQL of its own that goes away and comes back at the same address', async () => {
  const postgres = await startOwnPostgres();
  try {
    await postgres.down();
    await expect(new Client({ connectionString: postgres.url }).connect()).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    await postgres.restart();
    const client = new Client({ connectionString: postgres.url });
    await client.connect();
    await client.end();
  } finally {
    await postgres.stop();
  }
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startApi } from '../../src/main/api.ts';
import { startOwnPostgres } from '../support/own-postgres.ts';
import { TestApi } from '../support/test-api.ts';
import { testTemporal } from '../support/test-temporal.ts';

it('is ready while PostgreSQL and Temporal answer, and tells anybody so', async () => {
  const api = await TestApi.start();
  try {
    expect(await api.rest(null, 'GET', '/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await api.rest(null, 'GET', '/readyz')).toMatchObject({
      status: 200,
      body: { status: 'ok', database: 'ok', temporal: 'ok' },
    });
  } finally {
    await api.stop();
  }
});

it('is alive and not ready while one of them does not answer, and names which', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-health-'));
  const postgres = await startOwnPostgres();
  const api = await startApi({
    databaseUrl: postgres.url,
    temporal: { ...testTemporal(), address: '127.0.0.1:9' },
    keyFile: join(folder, 'control.key'),
    host: '127.0.0.1',
    port: 0,
  });
  try {
    const ready = async (): Promise<unknown> => {
      const response = await fetch(`${api.url}/readyz`);
      return { status: response.status, body: await response.json() };
    };
    expect(await ready()).toEqual({
      status: 503,
      body: { status: 'unavailable', database: 'ok', temporal: 'TEMPORAL_UNAVAILABLE' },
    });
    await postgres.down();
    await expect.poll(ready).toMatchObject({ status: 503, body: { database: 'DATABASE_UNAVAILABLE' } });
    expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
  } finally {
    await api.close();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
});

import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestApi } from '../support/test-api.ts';

let api: TestApi;
let client: Client;

beforeAll(async () => {
  api = await TestApi.start();
  client = new Client({ connectionString: api.database.adminUrl });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await api.stop();
});

async function create(name: string, key: string): Promise<{ status: number; body: unknown }> {
  const { status, body } = await api.rest(api.administrator.token, 'POST', '/v1/sites', {
    body: { name },
    headers: { 'idempotency-key': key },
  });
  return { status, body };
}

describe('an idempotency key', () => {
  it('makes one site of many requests at once, with one event and one audit entry', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, async () => await create('Once', 'once')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    const { rows } = await client.query(
      `select (select count(*) from app.site where name = 'Once')::integer as sites,
        (select count(*) from app.event where type = 'site.created')::integer as events,
        (select count(*) from app.audit_entry where action = 'createSite')::integer as entries`,
    );
    expect(rows).toEqual([{ sites: 1, events: 1, entries: 1 }]);
  });

  it('says 409 while the first request is still running', async () => {
    const { rows } = await client.query<{ actor: string }>('select actor from app.idempotency_key limit 1');
    await client.query('begin');
    await client.query(
      `insert into app.idempotency_key (tenant_id, actor, operation, key, fingerprint, outcome, expires_at)
       values ($1, $2, 'createSite', 'held', '', '{}', now() + interval '1 day')`,
      [api.administrator.tenantId, rows[0]?.actor],
    );
    try {
      expect(await create('Held', 'held')).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_IN_PROGRESS' } });
    } finally {
      await client.query('rollback');
    }
    expect((await create('Held', 'held')).status).toBe(201);
  });

  it('is free again after a request that failed', async () => {
    expect(await create('Once', 'again')).toMatchObject({ status: 409, body: { code: 'NAME_TAKEN' } });
    expect((await create('Another', 'again')).status).toBe(201);
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { sweep, type Swept } from '../../src/control/events/sweeper.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { openRoleDatabase } from '../../src/platform/feed/role-database.ts';
import type { RoleDatabase } from '../../src/platform/feed/sql.ts';
import { TestApi } from '../support/test-api.ts';

let api: TestApi;
let relay: RoleDatabase;
let endpointId: string;

beforeAll(async () => {
  api = await TestApi.start();
  relay = openRoleDatabase({ url: api.database.url, role: 'holdfast_relay', poolSize: 2 });
  await api.rest(api.administrator.token, 'POST', '/v1/webhook-endpoints', {
    body: { name: 'x', url: 'https://hooks.example/', eventTypes: ['*'] },
    headers: { 'idempotency-key': 'x' },
  });
  endpointId = (await api.sql<{ id: string }>('select id from app.webhook_endpoint'))[0]?.id ?? '';
});
beforeEach(async () => {
  await api.sql('truncate app.event, app.webhook_delivery, app.idempotency_key');
});
afterAll(async () => {
  await relay.end();
  await api.stop();
});

async function addEvent(age: string, numbered = true): Promise<void> {
  await api.sql(
    `insert into app.event (tenant_id, type, subject_type, subject_id, occurred_at, position, sequence)
     values ($1, 'site.created', 'Site', uuidv7(), now() - $2::interval,
             case when $3 then (random() * 1e15)::bigint end, case when $3 then (random() * 1e15)::bigint end)`,
    [api.administrator.tenantId, age, numbered],
  );
}

async function addDelivery(age: string, state: string): Promise<void> {
  await api.sql(
    `insert into app.webhook_delivery (tenant_id, endpoint_id, event_tenant_id, event_id, event_type, body, state, created_at)
     values ($1, $2, $1, uuidv7(), 'site.created', '{}', $3, now() - $4::interval)`,
    [api.administrator.tenantId, endpointId, state, age],
  );
}

async function addKey(expires: string): Promise<void> {
  await api.sql(
    `insert into app.idempotency_key (tenant_id, actor, operation, key, fingerprint, outcome, expires_at)
     values ($1, 'token:x', 'createSite', $2, '', '{}', now() + $3::interval)`,
    [api.administrator.tenantId, randomUUID(), expires],
  );
}

async function sweepNow(batch?: number): Promise<Swept> {
  return await sweep(relay, systemClock, new AbortController().signal, batch);
}

async function left(table: string): Promise<number> {
  return (await api.sql(`select from app.${table}`)).length;
}

it('what was told more than ninety days ago goes, and what is still to be told stays', async () => {
  await addEvent('91 days');
  await addEvent('89 days');
  await addEvent('91 days', false);
  for (const state of ['DELIVERED', 'FAILED', 'PENDING']) {
    await addDelivery('91 days', state);
    await addDelivery('89 days', state);
  }
  await addKey('-1 second');
  await addKey('1 hour');
  expect(await sweepNow()).toEqual({ events: 1, deliveries: 2, idempotencyKeys: 1 });
  expect([await left('event'), await left('webhook_delivery'), await left('idempotency_key')]).toEqual([2, 4, 1]);
  expect(await sweepNow()).toEqual({ events: 0, deliveries: 0, idempotencyKeys: 0 });
});

it('goes on batch by batch, also beside another relay', async () => {
  for (let i = 0; i < 7; i += 1) {
    await addEvent('91 days');
  }
  const [one, other] = await Promise.all([sweepNow(2), sweepNow(2)]);
  expect(one.events + other.events).toBe(7);
  expect(await left('event')).toBe(0);
});

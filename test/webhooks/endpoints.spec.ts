import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromGlobalId, toGlobalId } from '../../src/kernel/global-id.ts';
import { type RestAnswer, TestApi } from '../support/test-api.ts';

interface Endpoint {
  readonly id: string;
  readonly version: number;
  readonly state: string;
}
interface SecretOutcome {
  readonly webhookEndpoint: Endpoint | null;
  readonly secret: string | null;
  readonly userErrors: readonly { readonly code: string }[];
}

const CREATE = `mutation ($input: CreateWebhookEndpointInput!) {
  createWebhookEndpoint(input: $input) { webhookEndpoint { id version state } secret userErrors { code } } }`;

let api: TestApi;
let token: string;

beforeAll(async () => {
  api = await TestApi.start();
  token = api.administrator.token;
});
afterAll(async () => {
  await api.stop();
});

async function create(url: string, idempotencyKey: string): Promise<SecretOutcome> {
  const input = { name: 'Billing', url, eventTypes: ['usage.*'], idempotencyKey };
  return (await api.data<{ createWebhookEndpoint: SecretOutcome }>(token, CREATE, { input })).createWebhookEndpoint;
}

/** Deliveries in these states, a minute apart; gives back their global ids. */
async function addDeliveries(endpointId: string, states: readonly string[]): Promise<string[]> {
  const { tenantId, id } = fromGlobalId('WebhookEndpoint', endpointId);
  const client = new Client({ connectionString: api.database.adminUrl });
  await client.connect();
  const { rows } = await client.query<{ id: string }>(
    `insert into app.webhook_delivery (tenant_id, endpoint_id, event_tenant_id, event_id, event_type, body, state,
            attempts, created_at)
     select $1, $2, $1, uuidv7(), 'site.created', '{}', state, 3,
            '2026-03-01T09:00:00Z'::timestamptz + place * interval '1 minute'
       from unnest($3::text[]) with ordinality given (state, place) order by place
     returning id`,
    [tenantId, id, states],
  );
  await client.end();
  return rows.map((row) => toGlobalId('WebhookDelivery', tenantId, row.id));
}

describe('webhook endpoints', () => {
  it('show their secret once', async () => {
    const first = await create('https://billing.example/hook', 'once');
    expect(first.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(await create('https://billing.example/hook', 'once')).toEqual({ ...first, secret: null });
  });

  it.each([
    'http://billing.example/hook',
    'https://127.0.0.1/hook',
    'https://[::ffff:10.0.0.1]/hook',
    'https://2130706433/hook',
    'https://user:word@billing.example/hook',
    'ftp://billing.example/hook',
    'nowhere',
  ])('refuse %s', async (url) => {
    expect(await create(url, url)).toEqual({
      webhookEndpoint: null,
      secret: null,
      userErrors: [{ code: 'WEBHOOK_URL_REFUSED' }],
    });
  });

  it('are rotated, turned off and on, changed and deleted over REST', async () => {
    const key = (text: string): Record<string, string> => ({ 'idempotency-key': text });
    const body = { name: 'Portal', url: 'https://portal.example/hook', eventTypes: ['*'] };
    const made = await api.rest(token, 'POST', '/v1/webhook-endpoints', { body, headers: key('rest-1') });
    expect(made.status).toBe(201);
    const { webhookEndpoint, secret } = made.body as { webhookEndpoint: Endpoint; secret: string };
    const path = `/v1/webhook-endpoints/${webhookEndpoint.id}`;

    const rotated = await api.rest(token, 'POST', `${path}/rotate-secret`, { body: {}, headers: key('rest-2') });
    expect(rotated.body).toMatchObject({
      webhookEndpoint: { version: 2, previousSecretExpiresAt: expect.any(String) as unknown },
    });
    expect((rotated.body as { secret: string }).secret).not.toBe(secret);

    const off = await api.rest(token, 'POST', `${path}/disable`, { headers: { 'if-match': '"2"' } });
    expect(off.body).toMatchObject({ state: 'DISABLED', version: 3 });
    const stale = await api.rest(token, 'POST', `${path}/enable`, { headers: { 'if-match': '"2"' } });
    expect(stale.status).toBe(412);
    const replay = await api.rest(token, 'POST', `${path}/replay`, {
      body: { from: '2026-01-01T00:00:00Z', to: '2036-01-01T00:00:00Z' },
      headers: key('rest-3'),
    });
    expect(replay.body).toMatchObject({ code: 'WEBHOOK_ENDPOINT_NOT_ENABLED' });
    const on = await api.rest(token, 'POST', `${path}/enable`, { headers: { 'if-match': '"3"' } });
    expect(on.body).toMatchObject({ state: 'ENABLED' });

    const changed = await api.rest(token, 'PATCH', path, { body: { eventTypes: ['job.*', 'usage.recorded'] } });
    expect(changed.body).toMatchObject({ eventTypes: ['job.*', 'usage.recorded'], name: 'Portal' });
    const gone = await api.rest(token, 'DELETE', path, { headers: key('rest-4') });
    expect(gone.status).toBe(204);
    expect((await api.rest(token, 'GET', path)).status).toBe(404);
  });

  it('list what was sent, and send one or a span of it again', async () => {
    const { webhookEndpoint } = await create('https://replayed.example/hook', 'replayed');
    const endpointId = webhookEndpoint?.id ?? '';
    const ids = await addDeliveries(endpointId, ['PENDING', 'FAILED', 'DELIVERED', 'DELIVERED']);
    const path = `/v1/webhook-endpoints/${endpointId}`;
    const listed = await api.rest(token, 'GET', `${path}/deliveries?state=DELIVERED`);
    expect((listed.body as { items: { id: string }[] }).items.map(({ id }) => id)).toEqual([ids[3], ids[2]]);

    const again = async (id: string | undefined, key: string): Promise<RestAnswer> =>
      await api.rest(token, 'POST', `/v1/webhook-deliveries/${id}/replay`, { headers: { 'idempotency-key': key } });
    expect((await again(ids[0], 'replay-0')).body).toMatchObject({ code: 'WEBHOOK_DELIVERY_PENDING' });
    expect((await again(ids[1], 'replay-1')).body).toMatchObject({ id: ids[1], state: 'PENDING', attempts: 0 });

    const span = { from: '2026-03-01T00:00:00Z', to: '2026-03-02T00:00:00Z', state: 'DELIVERED' };
    const request = { body: span, headers: { 'idempotency-key': 'replay-span' } };
    expect((await api.rest(token, 'POST', `${path}/replay`, request)).body).toEqual({ replayed: 2 });
    expect((await api.rest(token, 'POST', `${path}/replay`, request)).body).toEqual({ replayed: null });
    const left = await api.rest(token, 'GET', `${path}/deliveries?state=DELIVERED`);
    expect((left.body as { items: unknown[] }).items).toEqual([]);
  });

  it('leave an event and an audit entry with every change, and no secret in either', async () => {
    const first = await create('https://audited.example/hook', 'audited');
    const client = new Client({ connectionString: api.database.adminUrl });
    await client.connect();
    const { rows } = await client.query<{ text: string }>(
      `select row_to_json(e)::text as text from app.event e where type like 'webhook_endpoint.%'
       union all select row_to_json(a)::text from app.audit_entry a where action like '%Webhook%'
       union all select row_to_json(i)::text from app.idempotency_key i`,
    );
    await client.end();
    const audited = rows.filter((row) => row.text.includes('audited.example'));
    expect(audited).toHaveLength(2);
    expect(rows.filter((row) => row.text.includes(first.secret ?? 'whsec_'))).toEqual([]);
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromGlobalId, toGlobalId } from '../../src/kernel/global-id.ts';
import { type RestAnswer, TestApi } from '../support/test-api.ts';

let api: TestApi;
let root: string;
let endpointId: string;

beforeAll(async () => {
  api = await TestApi.start();
  root = api.administrator.token;
  const made = await ask(root, 'POST', '/v1/webhook-endpoints', { ...ENDPOINT, reach: 'SUBTREE' });
  endpointId = (made.body as { webhookEndpoint: { id: string } }).webhookEndpoint.id;
});
afterAll(async () => {
  await api.stop();
});

const ENDPOINT = { name: 'All', url: 'https://hooks.example/all', eventTypes: ['tenant.*'] };
const FORBIDDEN = { status: 403, body: { code: 'FORBIDDEN' } };

async function ask(by: string, method: string, path: string, body: Record<string, unknown>): Promise<RestAnswer> {
  return await api.rest(by, method, path, { body, headers: { 'idempotency-key': randomUUID() } });
}

async function tokenWith(scopes: readonly string[], reach: string): Promise<string> {
  const { body } = await ask(root, 'POST', '/v1/tokens', { name: 'x', scopes, reach });
  return (body as { secret: string }).secret;
}

describe('an endpoint for the subtree', () => {
  it('is not turned to another address, nor its secret had, by who reaches one tenant only', async () => {
    const narrow = await tokenWith(['OPERATOR'], 'SELF');
    const path = `/v1/webhook-endpoints/${endpointId}`;
    expect(await ask(narrow, 'PATCH', path, { url: 'https://collector.example/' })).toMatchObject(FORBIDDEN);
    expect(await ask(narrow, 'POST', `${path}/rotate-secret`, {})).toMatchObject(FORBIDDEN);
    for (const verb of ['disable', 'enable']) {
      expect(await ask(narrow, 'POST', `${path}/${verb}`, {})).toMatchObject(FORBIDDEN);
    }
    expect(await ask(narrow, 'DELETE', path, {})).toMatchObject(FORBIDDEN);
    expect((await ask(root, 'PATCH', path, { url: 'https://hooks.example/moved' })).status).toBe(200);
  });
});

describe('the log of an endpoint for the subtree', () => {
  it('shows who reaches one tenant only nothing of those below', async () => {
    const below = await ask(root, 'POST', '/v1/tenants', { name: 'Below', kind: 'CUSTOMER' });
    const key = fromGlobalId('WebhookEndpoint', endpointId);
    const ids: string[] = [];
    for (const tenantId of [key.tenantId, fromGlobalId('Tenant', (below.body as { id: string }).id).tenantId]) {
      const [made] = await api.sql<{ id: string }>(
        `insert into app.webhook_delivery (tenant_id, endpoint_id, event_tenant_id, event_id, event_type, body)
         values ($1, $2, $3, uuidv7(), 'site.created', '{}') returning id`,
        [key.tenantId, key.id, tenantId],
      );
      ids.push(toGlobalId('WebhookDelivery', key.tenantId, made?.id ?? ''));
    }
    const seenBy = async (token: string): Promise<unknown> => {
      const list = await api.rest(token, 'GET', `/v1/webhook-endpoints/${endpointId}/deliveries`);
      const each = ids.map(async (id) => (await api.rest(token, 'GET', `/v1/webhook-deliveries/${id}`)).status);
      return { listed: (list.body as { items: unknown[] }).items.length, each: await Promise.all(each) };
    };
    expect(await seenBy(root)).toEqual({ listed: 2, each: [200, 200] });
    const narrow = await tokenWith(['OPERATOR'], 'SELF');
    expect(await seenBy(narrow)).toEqual({ listed: 1, each: [200, 404] });
    const day = { from: '2000-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z', state: 'FAILED' };
    await api.sql(`update app.webhook_delivery set state = 'FAILED' where endpoint_id = $1`, [key.id]);
    const replay = await ask(narrow, 'POST', `/v1/webhook-endpoints/${endpointId}/replay`, day);
    expect(replay).toMatchObject({ body: { replayed: 1 } });
  });
});

describe('an endpoint', () => {
  it('hears nothing that its maker may not read', async () => {
    const deaf = await tokenWith(['webhooks:write'], 'SUBTREE');
    expect(await ask(deaf, 'POST', '/v1/webhook-endpoints', ENDPOINT)).toMatchObject(FORBIDDEN);
    const path = `/v1/webhook-endpoints/${endpointId}`;
    expect(await ask(deaf, 'PATCH', path, { eventTypes: ['*'] })).toMatchObject(FORBIDDEN);
    const listening = await tokenWith(['webhooks:write', 'events:read'], 'SELF');
    expect((await ask(listening, 'POST', '/v1/webhook-endpoints', ENDPOINT)).status).toBe(201);
  });
});

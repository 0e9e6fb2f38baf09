import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromGlobalId } from '../../src/kernel/global-id.ts';
import { TestApi } from '../support/test-api.ts';

interface Made {
  readonly token: { readonly id: string };
  readonly secret: string;
}

let api: TestApi;
let root: string;
beforeAll(async () => {
  api = await TestApi.start();
  root = api.administrator.token;
});
afterAll(async () => {
  await api.stop();
});

async function ask(
  by: string,
  path: string,
  body: Record<string, unknown> = {},
): Promise<{ status: number; body: unknown }> {
  return await api.rest(by, 'POST', `/v1/tokens${path}`, { body, headers: { 'idempotency-key': randomUUID() } });
}

async function create(
  by: string,
  allowedAddresses: readonly string[] = [],
  scopes: readonly string[] = ['tokens:write', 'sites:read'],
): Promise<Made> {
  const { body } = await ask(by, '', { name: 'x', scopes, allowedAddresses });
  return body as Made;
}

async function post(by: string, method: string, path: string, body: object = {}): Promise<unknown> {
  const answer = await api.rest(by, method, path, { body, headers: { 'idempotency-key': randomUUID() } });
  expect(answer.status).toBeLessThan(300);
  return answer.body;
}

async function endpoint(by: string): Promise<string> {
  const wish = { name: 'x', url: 'https://hooks.example/', eventTypes: ['tenant.*'] };
  const made = await post(by, 'POST', '/v1/webhook-endpoints', wish);
  return (made as { webhookEndpoint: { id: string } }).webhookEndpoint.id;
}

async function stateOf(endpointId: string): Promise<string> {
  const { body } = await api.rest(root, 'GET', `/v1/webhook-endpoints/${endpointId}`);
  return (body as { state: string }).state;
}

async function rotate(by: string, { token }: Made): Promise<Made> {
  return (await ask(by, `/${token.id}/rotate`)).body as Made;
}

async function works(secret: string): Promise<boolean> {
  return (await api.rest(secret, 'GET', '/v1/viewer')).status === 200;
}

describe('whoever found a token that may write tokens', () => {
  it('keeps no secret that it had another token rotated to, once the leaked one is revoked', async () => {
    const [leaked, victim] = [await create(root), await create(root)];
    const first = await rotate(leaked.secret, victim);
    const second = await rotate(leaked.secret, victim);
    expect([await works(first.secret), await works(second.secret)]).toEqual([true, true]);
    await ask(root, `/${leaked.token.id}/revoke`);
    expect([await works(first.secret), await works(second.secret)]).toEqual([false, false]);
    const clean = await rotate(root, victim);
    expect([await works(clean.secret), await works(second.secret)]).toEqual([true, false]);
  });

  it('leaves the owner’s own secret good for the overlap', async () => {
    const [leaked, victim] = [await create(root), await create(root)];
    const stolen = await rotate(leaked.secret, victim);
    await ask(root, `/${leaked.token.id}/revoke`);
    expect([await works(stolen.secret), await works(victim.secret)]).toEqual([false, true]);
  });

  it('keeps no token that it made with a secret gained by rotation, nor one made by that one', async () => {
    const [leaked, victim, bystander] = [await create(root), await create(root), await create(root)];
    const stolen = await rotate(leaked.secret, victim);
    const child = await create(stolen.secret);
    const grandchild = await create(child.secret);
    const further = await rotate(stolen.secret, bystander);
    const own = await create(victim.secret);
    const secrets = [child, grandchild, further, own].map(({ secret }) => secret);
    expect(await Promise.all(secrets.map(works))).toEqual([true, true, true, true]);
    await ask(root, `/${leaked.token.id}/revoke`);
    expect(await Promise.all(secrets.map(works))).toEqual([false, false, false, true]);
    const list = await api.rest(root, 'GET', '/v1/tokens?first=100');
    const { items } = list.body as { items: { id: string; revokedAt: string | null }[] };
    const revoked = new Set(items.filter(({ revokedAt }) => revokedAt !== null).map(({ id }) => id));
    expect([child, grandchild, victim, bystander].map(({ token }) => revoked.has(token.id))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('has the endpoints disabled that it made or turned elsewhere, and each is told', async () => {
    const leaked = await create(root, [], ['webhooks:write', 'webhooks:read', 'events:read']);
    const made = await endpoint(leaked.secret);
    const [turned, untouched] = [await endpoint(root), await endpoint(root)];
    await post(leaked.secret, 'PATCH', `/v1/webhook-endpoints/${turned}`, { url: 'https://collector.example/' });
    await ask(root, `/${leaked.token.id}/revoke`);
    expect(await Promise.all([made, turned, untouched].map(stateOf))).toEqual(['DISABLED', 'DISABLED', 'ENABLED']);
    const told = await api.sql(`select data from app.event where type = 'webhook_endpoint.disabled'`);
    expect(told).toEqual([made, turned].map(() => ({ data: { name: 'x', withItsMaker: true } })));
    await post(root, 'POST', `/v1/webhook-endpoints/${made}/enable`);
    expect(await stateOf(made)).toBe('ENABLED');
    const wanted = await api.sql(`select endpoint_id from app.endpoints_for($1, 'tenant.created')`, [
      api.administrator.tenantId,
    ]);
    expect(wanted).toHaveLength(2);
  });

  it('gets nothing sent to an endpoint that it made at the moment of its revocation', async () => {
    const leaked = await create(root, [], ['webhooks:write', 'webhooks:read', 'events:read']);
    const late = await endpoint(leaked.secret);
    await ask(root, `/${leaked.token.id}/revoke`);
    const before = await api.sql(`select from app.endpoints_for($1, 'tenant.created')`, [api.administrator.tenantId]);
    await api.sql(`update app.webhook_endpoint set state = 'ENABLED' where id = $1`, [
      fromGlobalId('WebhookEndpoint', late).id,
    ]);
    const after = await api.sql(`select from app.endpoints_for($1, 'tenant.created')`, [api.administrator.tenantId]);
    expect(after).toHaveLength(before.length);
  });

  it('gets none that works from more networks than the leaked one', async () => {
    const leaked = await create(root, ['127.0.0.0/8', '192.0.2.0/24']);
    const free = await create(root);
    const exceeded = { status: 403, body: { code: 'SCOPE_EXCEEDED', data: { field: 'allowedAddresses' } } };
    const wish = { name: 'x', scopes: ['sites:read'] };
    expect(await ask(leaked.secret, '', wish)).toMatchObject(exceeded);
    expect(await ask(leaked.secret, '', { ...wish, allowedAddresses: ['127.0.0.1', '198.51.100.1'] })).toMatchObject(
      exceeded,
    );
    expect(await ask(leaked.secret, `/${free.token.id}/rotate`)).toMatchObject(exceeded);
    const within = await ask(leaked.secret, '', { ...wish, allowedAddresses: ['127.0.0.1', '192.0.2.128/25'] });
    expect(within.status).toBe(201);
    expect((await ask(leaked.secret, `/${leaked.token.id}/rotate`)).status).toBe(200);
  });
});

it('a token’s last use is written at most once a minute', async () => {
  const { token, secret } = await create(root);
  const { id } = fromGlobalId('ApiToken', token.id);
  const row = async (): Promise<unknown> =>
    await api.sql('select xmin::text, last_used_at from app.api_token where id = $1', [id]);
  await works(secret);
  const first = await row();
  await works(secret);
  expect(await row()).toEqual(first);
  await api.sql(`update app.api_token set last_used_at = now() - interval '61 seconds' where id = $1`, [id]);
  const old = await row();
  await works(secret);
  expect(await row()).not.toEqual(old);
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestApi, type RestAnswer } from '../support/test-api.ts';

interface Made {
  readonly token: { readonly id: string };
  readonly secret: string;
}

let api: TestApi;
let root: string;
let below: string;

beforeAll(async () => {
  api = await TestApi.start();
  root = api.administrator.token;
  below = ((await post(root, '/v1/tenants', { name: 'Below', kind: 'CUSTOMER' })).body as { id: string }).id;
});
afterAll(async () => {
  await api.stop();
});

async function post(by: string, path: string, body: object = {}, key: string = randomUUID()): Promise<RestAnswer> {
  return await api.rest(by, 'POST', path, { body, headers: { 'idempotency-key': key } });
}

async function tokenWith(scopes: readonly string[], more: object = {}): Promise<Made> {
  return (await post(root, '/v1/tokens', { name: 'x', scopes, ...more })).body as Made;
}

describe('an idempotency key', () => {
  it('is one credential’s: another’s request with the same key is a request of its own', async () => {
    const [one, other] = [await tokenWith(['sites:write']), await tokenWith(['sites:write'])];
    expect(await post(one.secret, '/v1/sites', { name: 'One’s' }, 'same')).toMatchObject({ body: { name: 'One’s' } });
    const made = await post(other.secret, '/v1/sites', { name: 'Other’s' }, 'same');
    expect(made).toMatchObject({ status: 201, body: { name: 'Other’s' } });
    // Nor does it give away that there was such a request.
    expect(await post(other.secret, '/v1/sites', { name: 'One’s' }, 'again')).toMatchObject({ status: 409 });
  });

  it('is refused with another request, whatever differs, and good for each operation by itself', async () => {
    const reused = { status: 422, body: { code: 'IDEMPOTENCY_KEY_REUSED' } };
    expect((await post(root, '/v1/sites', { name: 'First' }, 'reused')).status).toBe(201);
    expect(await post(root, '/v1/sites', { name: 'Second' }, 'reused')).toMatchObject(reused);
    expect((await post(root, '/v1/tokens', { name: 'x', scopes: ['READER'] }, 'reused')).status).toBe(201);
    expect(await post(root, '/v1/tokens', { name: 'x', scopes: ['OWNER'] }, 'reused')).toMatchObject(reused);
  });
});

describe('a cursor', () => {
  async function cursorOf(path: string): Promise<string> {
    const { body } = await api.rest(root, 'GET', path);
    return (body as { pageInfo: { endCursor: string } }).pageInfo.endCursor;
  }

  it('is of one tenant’s list: in another tenant’s it is none', async () => {
    await post(root, '/v1/sites', { name: 'Here' });
    const cursor = await cursorOf('/v1/sites?first=1');
    expect((await api.rest(root, 'GET', `/v1/sites?first=1&after=${cursor}`)).status).toBe(200);
    const there = await api.rest(root, 'GET', `/v1/sites?first=1&tenantId=${below}&after=${cursor}`);
    expect(there).toMatchObject({ status: 400, body: { code: 'BAD_CURSOR' } });
  });

  it('is of one kind of list and one filter', async () => {
    const cursor = await cursorOf('/v1/tokens?first=1');
    for (const path of ['/v1/webhook-endpoints', '/v1/pools', '/v1/audit-entries', '/v1/jobs']) {
      const answer = await api.rest(root, 'GET', `${path}?first=1&after=${cursor}`);
      expect([path, answer]).toMatchObject([path, { status: 400, body: { code: 'BAD_CURSOR' } }]);
    }
    await api.sql(
      `insert into app.usage_record (tenant_id, id, meter, unit, window_start, window_end, period_start, revision,
         quantity, total, reason, billable, billable_reason, key_id, signature)
       values ($1, uuidv7(), 'stored_bytes', 'byte', now(), now() + interval '1 hour', now(), 0, 1, 1, 'WINDOW_CLOSED', true, 'ACTIVE', '', '')`,
      [api.administrator.tenantId],
    );
    const record = await cursorOf('/v1/usage/records?first=1&meter=stored_bytes');
    const records = (meter: string): string => `/v1/usage/records?first=1&meter=${meter}&after=${record}`;
    expect((await api.rest(root, 'GET', records('stored_bytes'))).status).toBe(200);
    expect(await api.rest(root, 'GET', records('restore_points'))).toMatchObject({ body: { code: 'BAD_CURSOR' } });
  });
});

describe('a credential', () => {
  it('finds by node(id:) only what it may read elsewhere', async () => {
    const { token } = await tokenWith(['READER']);
    const site = (await post(root, '/v1/sites', { name: 'Found' })).body as { id: string };
    const { secret } = await tokenWith(['sites:read']);
    const ask = async (id: string) => await api.graphql(secret, 'query ($id: ID!) { node(id: $id) { id } }', { id });
    expect((await ask(site.id)).body.data).toEqual({ node: { id: site.id } });
    const { body } = await ask(token.id);
    expect(body.errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', data: { permission: 'tokens:read' } });
  });

  it('rotates no token that has more than it has itself: permissions, reach or networks', async () => {
    const clerk = await tokenWith(['tokens:write', 'sites:read'], { allowedAddresses: ['127.0.0.1'] });
    const rotate = async ({ token }: Made): Promise<unknown> =>
      await post(clerk.secret, `/v1/tokens/${token.id}/rotate`);
    const networks = { allowedAddresses: ['127.0.0.1'] };
    const exceeded = (field: string): object => ({ status: 403, body: { code: 'SCOPE_EXCEEDED', data: { field } } });
    expect(await rotate(await tokenWith(['OWNER'], networks))).toMatchObject(exceeded('scopes'));
    const wide = await tokenWith(['sites:read'], { ...networks, reach: 'SUBTREE' });
    expect(await rotate(wide)).toMatchObject(exceeded('reach'));
    expect(await rotate(await tokenWith(['sites:read']))).toMatchObject(exceeded('allowedAddresses'));
    expect(await rotate(await tokenWith(['sites:read'], networks))).toMatchObject({ status: 200 });
  });
});

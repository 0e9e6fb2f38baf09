import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestApi } from '../support/test-api.ts';

interface Tenant {
  readonly id: string;
  readonly name: string;
  readonly version: number;
}

const CREATE_TENANT = `mutation ($input: CreateTenantInput!) {
  createTenant(input: $input) { tenant { id name parentId version } userErrors { code } } }`;
const CREATE_TOKEN = `mutation ($input: CreateTokenInput!) {
  createToken(input: $input) { token { id scopes reach } secret userErrors { code path } } }`;
const CREATE_SITE = `mutation ($input: CreateSiteInput!) {
  createSite(input: $input) { site { id } userErrors { code } } }`;

let api: TestApi;
let root: string;
let customer: Tenant;

beforeAll(async () => {
  api = await TestApi.start();
  root = api.administrator.token;
  customer = await createTenant('Acme');
});
afterAll(async () => {
  await api.stop();
});

async function createTenant(name: string, parentId?: string): Promise<Tenant> {
  const input = {
    kind: parentId === undefined ? 'PARTNER' : 'CUSTOMER',
    name,
    parentId,
    idempotencyKey: `tenant ${name}`,
  };
  const { createTenant: made } = await api.data<{ createTenant: { tenant: Tenant } }>(root, CREATE_TENANT, { input });
  return made.tenant;
}

interface TokenOutcome {
  readonly token: { readonly id: string } | null;
  readonly secret: string | null;
  readonly userErrors: readonly { readonly code: string }[];
}
async function createToken(by: string, input: Record<string, unknown>): Promise<TokenOutcome> {
  const given = { name: 'test', idempotencyKey: JSON.stringify(input), ...input };
  return (await api.data<{ createToken: TokenOutcome }>(by, CREATE_TOKEN, { input: given })).createToken;
}

describe('tenants', () => {
  it('shows the tree from the top and hides what lies above', async () => {
    const below = await createTenant('Acme North', customer.id);
    const { secret } = await createToken(root, { tenantId: customer.id, scopes: ['READER'], reach: 'SUBTREE' });
    const seen = await api.data(
      secret ?? '',
      `{ viewer { tenantId reach } tenants(first: 10) { edges { node { id parentId } } } }`,
    );
    expect(seen).toEqual({
      viewer: { tenantId: customer.id, reach: 'SUBTREE' },
      tenants: { edges: [{ node: { id: below.id, parentId: customer.id } }] },
    });
    const own = await api.data(
      secret ?? '',
      `{ tenant(id: "${customer.id}") { parentId children(first: 5) { edges { node { name } } } } }`,
    );
    expect(own).toEqual({ tenant: { parentId: null, children: { edges: [{ node: { name: 'Acme North' } }] } } });
  });

  it('says that names below one parent are unique, and that nobody changes their own record', async () => {
    const input = { kind: 'PARTNER', name: 'ACME', idempotencyKey: 'taken' };
    const taken = await api.data<{ createTenant: unknown }>(root, CREATE_TENANT, { input });
    expect(taken.createTenant).toEqual({ tenant: null, userErrors: [{ code: 'NAME_TAKEN' }] });
    const { viewer } = await api.data<{ viewer: { tenantId: string } }>(root, '{ viewer { tenantId } }');
    const answer = await api.rest(root, 'PATCH', `/v1/tenants/${viewer.tenantId}`, { body: { name: 'Mine' } });
    expect(answer).toMatchObject({ status: 403, body: { code: 'TENANT_GOVERNED' } });
  });

  it('lets a suspended tenant read and change nothing, and resumes it from above', async () => {
    const tenant = await createTenant('Sleepy');
    const { secret } = await createToken(root, { tenantId: tenant.id, scopes: ['OPERATOR'] });
    const site = (name: string) => ({ input: { name, idempotencyKey: name } });
    await api.rest(root, 'POST', `/v1/tenants/${tenant.id}/suspend`, { body: {} });
    const refused = await api.data<{ createSite: unknown }>(secret ?? '', CREATE_SITE, site('a'));
    expect(refused.createSite).toEqual({ site: null, userErrors: [{ code: 'TENANT_SUSPENDED' }] });
    const byParent = await api.data<{ createSite: { site: unknown } }>(root, CREATE_SITE, {
      input: { name: 'from above', tenantId: tenant.id, idempotencyKey: 'from above' },
    });
    expect(byParent.createSite.site).not.toBeNull();
    expect((await api.rest(root, 'POST', `/v1/tenants/${tenant.id}/resume`)).status).toBe(200);
    const allowed = await api.data<{ createSite: { userErrors: unknown } }>(secret ?? '', CREATE_SITE, site('a'));
    expect(allowed.createSite.userErrors).toEqual([]);
  });
});

describe('tokens', () => {
  it('shows a secret once and never gives more than it has', async () => {
    const first = await createToken(root, { tenantId: customer.id, scopes: ['sites:read', 'tokens:write'] });
    expect(first.secret).toMatch(/^hf_live_[0-9A-Za-z]{49}$/);
    const again = await createToken(root, { tenantId: customer.id, scopes: ['sites:read', 'tokens:write'] });
    expect(again).toEqual({ ...first, secret: null });
    const more = await createToken(first.secret ?? '', { scopes: ['sites:write'] });
    expect(more).toEqual({
      token: null,
      secret: null,
      userErrors: [{ code: 'SCOPE_EXCEEDED', path: ['input', 'scopes'] }],
    });
    const wider = await createToken(first.secret ?? '', { scopes: ['sites:read'], reach: 'SUBTREE' });
    expect(wider.userErrors).toEqual([{ code: 'SCOPE_EXCEEDED', path: ['input', 'reach'] }]);
  });

  it('refuses what the scopes do not name', async () => {
    const { secret } = await createToken(root, { tenantId: customer.id, scopes: ['sites:read'] });
    const { body } = await api.graphql(secret ?? '', CREATE_SITE, { input: { name: 'x', idempotencyKey: 'x' } });
    expect(body.errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', data: { permission: 'sites:write' } });
  });

  it('keeps two secrets good while it rotates, and ends with all it made when it is revoked', async () => {
    const made = await createToken(root, { tenantId: customer.id, scopes: ['ADMIN'], name: 'rotating' });
    const old = made.secret ?? '';
    const child = await createToken(old, { scopes: ['sites:read'], name: 'child' });
    const rotated = await api.rest(root, 'POST', `/v1/tokens/${made.token?.id}/rotate`, {
      body: {},
      headers: { 'idempotency-key': 'rotate' },
    });
    const { secret } = rotated.body as { secret: string };
    const works = async (token: string | null) => (await api.rest(token, 'GET', '/v1/viewer')).status;
    expect([await works(old), await works(secret), await works(child.secret)]).toEqual([200, 200, 200]);
    await api.rest(root, 'POST', `/v1/tokens/${made.token?.id}/revoke`, { headers: { 'idempotency-key': 'revoke' } });
    expect([await works(old), await works(secret), await works(child.secret)]).toEqual([401, 401, 401]);
  });

  it('may be bound to networks', async () => {
    const elsewhere = await createToken(root, { scopes: ['READER'], allowedAddresses: ['192.0.2.0/24'] });
    expect((await api.rest(elsewhere.secret, 'GET', '/v1/viewer')).status).toBe(401);
    const here = await createToken(root, { scopes: ['READER'], allowedAddresses: ['127.0.0.0/8'] });
    expect((await api.rest(here.secret, 'GET', '/v1/viewer')).status).toBe(200);
  });
});

describe('audit', () => {
  it('tells the tenant who did what to it', async () => {
    const tenant = await createTenant('Watched');
    await api.data(root, CREATE_SITE, { input: { name: 'S', tenantId: tenant.id, idempotencyKey: 'watched' } });
    const { viewer } = await api.data<{ viewer: { tenantId: string } }>(root, '{ viewer { tenantId } }');
    const { body } = await api.rest(root, 'GET', `/v1/audit-entries?tenantId=${tenant.id}`);
    expect(body).toMatchObject({
      items: [
        {
          action: 'createSite',
          subjectType: 'Site',
          tenantId: tenant.id,
          actorTenantId: viewer.tenantId,
          detail: { name: 'S' },
        },
      ],
    });
  });
});

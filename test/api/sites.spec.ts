import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toGlobalId } from '../../src/kernel/global-id.ts';
import { TestApi } from '../support/test-api.ts';

interface Site {
  readonly id: string;
  readonly name: string;
  readonly version: number;
}
interface Outcome {
  readonly site: Site | null;
  readonly userErrors: readonly { readonly code: string; readonly path: readonly string[] | null }[];
}

const CREATE = `mutation ($input: CreateSiteInput!) {
  createSite(input: $input) { site { id name version } userErrors { code path } } }`;
const UPDATE = `mutation ($input: UpdateSiteInput!) {
  updateSite(input: $input) { site { id name version } userErrors { code path } } }`;

let api: TestApi;
let token: string;

beforeAll(async () => {
  api = await TestApi.start();
  token = api.administrator.token;
});
afterAll(async () => {
  await api.stop();
});

async function create(name: string, idempotencyKey = `create ${name}`): Promise<Outcome> {
  const { createSite } = await api.data<{ createSite: Outcome }>(token, CREATE, { input: { name, idempotencyKey } });
  return createSite;
}

describe('sites over GraphQL', () => {
  it('creates a site once, however often the request comes', async () => {
    const first = await create('Frankfurt');
    expect(first).toEqual({
      site: { id: expect.stringMatching(/^site_/), name: 'Frankfurt', version: 1 },
      userErrors: [],
    });
    expect(await create('Frankfurt')).toEqual(first);
  });

  it('refuses the same key with another request', async () => {
    await create('Berlin', 'the same key');
    const { body } = await api.graphql(token, CREATE, { input: { name: 'Munich', idempotencyKey: 'the same key' } });
    expect(body.errors?.[0]?.extensions).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED', retryable: false });
  });

  it('says as a user error that a name is taken', async () => {
    await create('Hamburg');
    const second = await create('hamburg', 'another key');
    expect(second).toEqual({ site: null, userErrors: [{ code: 'NAME_TAKEN', path: ['input', 'name'] }] });
  });

  it('refuses a change of a version that is not there any more', async () => {
    const { site } = await create('Cologne');
    const input = { siteId: site?.id, name: 'Köln', expectedVersion: 1 };
    const first = await api.data<{ updateSite: Outcome }>(token, UPDATE, { input });
    expect(first.updateSite.site).toMatchObject({ name: 'Köln', version: 2 });
    const second = await api.data<{ updateSite: Outcome }>(token, UPDATE, { input });
    expect(second.updateSite.userErrors).toEqual([{ code: 'VERSION_CONFLICT', path: null }]);
  });

  it('says of an id that is none that it is malformed, and of one that is nobody’s nothing', async () => {
    const { token } = api.administrator;
    const ask = async (id: string) => await api.graphql(token, 'query ($id: ID!) { node(id: $id) { id } }', { id });
    const malformed = { message: 'Object not found: the id is malformed.', extensions: { code: 'NOT_FOUND' } };
    expect((await ask('site_123')).body.errors).toMatchObject([malformed]);
    expect((await ask(randomUUID())).body.errors).toMatchObject([malformed]);
    const nobodys = toGlobalId('Site', randomUUID(), randomUUID());
    expect((await ask(nobodys)).body.errors).toMatchObject([{ message: 'Site not found.' }]);
  });

  it('pages forwards and backwards, and finds every site by node(id:)', async () => {
    await Promise.all(['P1', 'P2', 'P3', 'P4'].map(async (name) => await create(name)));
    const LIST = `query ($first: Int, $after: String, $last: Int, $before: String) {
      sites(first: $first, after: $after, last: $last, before: $before) {
        edges { node { id name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;
    interface Page {
      readonly sites: {
        readonly edges: readonly { readonly node: Site }[];
        readonly pageInfo: { readonly hasNextPage: boolean; readonly startCursor: string; readonly endCursor: string };
      };
    }
    const names: string[] = [];
    let page = await api.data<Page>(token, LIST, { first: 2 });
    names.push(...page.sites.edges.map(({ node }) => node.name));
    while (page.sites.pageInfo.hasNextPage) {
      page = await api.data<Page>(token, LIST, { first: 2, after: page.sites.pageInfo.endCursor });
      names.push(...page.sites.edges.map(({ node }) => node.name));
    }
    expect(names).toEqual(names.toSorted((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)));
    expect(new Set(names).size).toBe(names.length);
    const back = await api.data<Page>(token, LIST, { last: 1, before: page.sites.pageInfo.startCursor });
    expect(back.sites.edges[0]?.node.name).toBe(names.at(-page.sites.edges.length - 1));
    const id = page.sites.edges[0]?.node.id;
    const found = await api.data(token, 'query ($id: ID!) { node(id: $id) { __typename id ... on Site { name } } }', {
      id,
    });
    expect(found).toEqual({ node: { __typename: 'Site', id, name: page.sites.edges[0]?.node.name } });
  });

  it('wants to know how many', async () => {
    const { body } = await api.graphql(token, '{ sites { edges { cursor } } }');
    expect(body.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_INPUT' });
  });
});

describe('sites over REST', () => {
  const created = { 'idempotency-key': '"rest 1"' };

  it('answers as GraphQL does, with ETag and problem+json', async () => {
    const first = await api.rest(token, 'POST', '/v1/sites', { body: { name: 'Oslo' }, headers: created });
    expect(first).toMatchObject({ status: 201, body: { name: 'Oslo', version: 1 } });
    expect(first.headers.get('etag')).toBe('"1"');
    const again = await api.rest(token, 'POST', '/v1/sites', { body: { name: 'Oslo' }, headers: created });
    expect(again).toMatchObject({ status: 201, body: first.body });
    const { id } = first.body as Site;
    const read = await api.rest(token, 'GET', `/v1/sites/${id}`);
    expect(read.body).toEqual(first.body);
    const renamed = await api.rest(token, 'PATCH', `/v1/sites/${id}`, {
      body: { name: 'Bergen' },
      headers: { 'if-match': '"1"' },
    });
    expect(renamed).toMatchObject({ status: 200, body: { name: 'Bergen', version: 2 } });
    const late = await api.rest(token, 'DELETE', `/v1/sites/${id}`, {
      headers: { 'if-match': '"1"', 'idempotency-key': 'delete 1' },
    });
    expect(late).toMatchObject({ status: 412, body: { code: 'VERSION_CONFLICT', status: 412 } });
    expect(late.headers.get('content-type')).toContain('application/problem+json');
    const gone = await api.rest(token, 'DELETE', `/v1/sites/${id}`, { headers: { 'idempotency-key': 'delete 1' } });
    expect(gone.status).toBe(204);
    const replayed = await api.rest(token, 'DELETE', `/v1/sites/${id}`, { headers: { 'idempotency-key': 'delete 1' } });
    expect(replayed.status).toBe(204);
    expect(await api.rest(token, 'GET', `/v1/sites/${id}`)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });

  it('needs a credential, a key and a known body', async () => {
    expect(await api.rest(null, 'GET', '/v1/sites')).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
    expect(await api.rest(token, 'POST', '/v1/sites', { body: { name: 'x' } })).toMatchObject({
      status: 400,
      body: { code: 'IDEMPOTENCY_KEY_REQUIRED' },
    });
    expect(
      await api.rest(token, 'POST', '/v1/sites', { body: { nam: 'x' }, headers: { 'idempotency-key': 'k' } }),
    ).toMatchObject({ status: 400, body: { code: 'BAD_INPUT' } });
  });

  it('describes itself', async () => {
    const { body } = await api.rest(null, 'GET', '/v1/openapi.json');
    expect(body).toMatchObject({
      openapi: '3.1.0',
      paths: { '/v1/sites/{siteId}': { get: {}, patch: {}, delete: {} } },
    });
  });
});

describe('what is wrong with a request', () => {
  it('is said with a code, whoever notices it', async () => {
    const code = async (query: string, variables = {}) => {
      const { body } = await api.graphql(token, query, variables);
      return [body.errors?.[0]?.extensions['code'], body.errors?.[0]?.extensions['kind']];
    };
    expect(await code('{ sites(first: 1) { nothing } }')).toEqual(['BAD_INPUT', 'invalid']);
    expect(await code('{ sites(first: ')).toEqual(['BAD_INPUT', 'invalid']);
    const create = `mutation ($input: CreateTokenInput!) { createToken(input: $input) { secret } }`;
    const input = { name: 'x', scopes: ['READER'], idempotencyKey: 'x', expiresAt: 'tomorrow' };
    expect(await code(create, { input })).toEqual(['BAD_INPUT', 'invalid']);
    const wide = `{ ${Array.from({ length: 30 }, (_, i) => `s${i}: sites(first: 1) { edges { cursor } }`).join(' ')} }`;
    expect(await code(wide)).toEqual(['COST_EXCEEDED', 'quota']);
  });

  it('leaves what it costs in the answer', async () => {
    const { body } = await api.graphql(token, '{ sites(first: 10) { edges { cursor } } }');
    expect(body).toMatchObject({ extensions: { cost: { requested: 11, maximum: expect.any(Number) } } });
  });
});

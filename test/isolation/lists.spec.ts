import { GraphQLSchemaHost } from '@nestjs/graphql';
import { getNamedType, isNonNullType, isObjectType, type GraphQLField } from 'graphql';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseGlobalId, toGlobalId } from '../../src/kernel/global-id.ts';
import { TestApi } from '../support/test-api.ts';
import { Kit } from './matrix/kit.ts';
import type { OpenApi } from './matrix/rest-operations.ts';

let api: TestApi;
let client: Client;
let above: string;
let below: string;

beforeAll(async () => {
  api = await TestApi.start();
  client = new Client({ connectionString: api.database.adminUrl });
  await client.connect();
  above = api.administrator.tenantId;
  const { body } = await api.rest(api.administrator.token, 'POST', '/v1/tenants', {
    body: { name: 'Below', kind: 'CUSTOMER' },
    headers: { 'idempotency-key': 'below' },
  });
  below = parseGlobalId((body as { id: string }).id)?.tenantId ?? '';
  await Kit.make(client, above);
  await Kit.make(client, below);
});
afterAll(async () => {
  await client.end();
  await api.stop();
});

/** The tenants of whatever ids a page holds. */
function tenantsOf(ids: readonly string[]): readonly string[] {
  return [...new Set(ids.map((id) => parseGlobalId(id)?.tenantId ?? id))];
}

type Page = Readonly<Record<string, { readonly edges: readonly { readonly node: { readonly id: string } }[] } | null>>;

/** Lists that may be asked without naming another object, with the argument that says whose. */
function lists(): readonly { readonly name: string; readonly whose: string }[] {
  const { schema } = api.running.app.get(GraphQLSchemaHost, { strict: false });
  return Object.values(schema.getQueryType()?.getFields() ?? {})
    .filter((field) => getNamedType(field.type).name.endsWith('Connection') && nodeHasId(field))
    .filter(({ args }) => !args.some(({ type }) => isNonNullType(type)))
    .map(({ name, args }) => ({ name, whose: args.some((arg) => arg.name === 'parentId') ? 'parentId' : 'tenantId' }));
}

function nodeHasId({ type }: GraphQLField<unknown, unknown>): boolean {
  const parts = ['edges', 'node'].reduce((inside, part) => {
    const found = isObjectType(inside) ? inside.getFields()[part] : undefined;
    return found === undefined ? inside : getNamedType(found.type);
  }, getNamedType(type));
  return isObjectType(parts) && 'id' in parts.getFields();
}

describe('a list', () => {
  it('holds the asked tenant’s things only, also where the asker sees those below', async () => {
    const asked = lists().filter(({ whose }) => whose === 'tenantId');
    expect(asked.length).toBeGreaterThan(8);
    const wrong: string[] = [];
    for (const { name } of asked) {
      for (const tenant of [above, below]) {
        const query = `query ($id: ID) { ${name}(first: 100, tenantId: $id) { edges { node { id } } } }`;
        const variables = { id: toGlobalId('Tenant', tenant, tenant) };
        const page = (await api.data<Page>(api.administrator.token, query, variables))[name];
        const found = tenantsOf((page?.edges ?? []).map(({ node }) => node.id));
        if (found.join() !== tenant) {
          wrong.push(`${name} of ${tenant === above ? 'the one above' : 'the one below'}: ${found.length} tenants`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('of a tenant above is no empty one: that tenant is not there', async () => {
    const { body } = await api.rest(api.administrator.token, 'POST', '/v1/tokens', {
      body: { name: 'Below', tenantId: toGlobalId('Tenant', below, below), scopes: ['OWNER'], reach: 'SUBTREE' },
      headers: { 'idempotency-key': 'below' },
    });
    const { secret } = body as { readonly secret: string };
    const told: string[] = [];
    for (const { name, whose } of lists()) {
      const query = `query ($id: ID) { ${name}(first: 1, ${whose}: $id) { edges { node { id } } } }`;
      const answer = await api.graphql(secret, query, { id: toGlobalId('Tenant', above, above) });
      const code = answer.body.errors?.[0]?.extensions['code'];
      if (code !== 'NOT_FOUND') {
        told.push(`${name}: ${JSON.stringify(answer.body)}`);
      }
    }
    expect(told).toEqual([]);
  });

  it('does so over REST too', async () => {
    const { paths } = (await api.rest(null, 'GET', '/v1/openapi.json')).body as OpenApi;
    const asked = Object.entries(paths).filter(
      ([path, { get }]) =>
        !path.includes('{') && ['first', 'tenantId'].every((name) => get?.parameters?.some((one) => one.name === name)),
    );
    expect(asked.length).toBeGreaterThan(8);
    const wrong: string[] = [];
    for (const [path] of asked) {
      for (const tenant of [above, below]) {
        const whose = toGlobalId('Tenant', tenant, tenant);
        const { body } = await api.rest(api.administrator.token, 'GET', `${path}?first=100&tenantId=${whose}`);
        const found = tenantsOf((body as { items: { id: string }[] }).items.map(({ id }) => id));
        if (found.join() !== tenant) {
          wrong.push(`${path} of ${tenant === above ? 'the one above' : 'the one below'}: ${found.length} tenants`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});

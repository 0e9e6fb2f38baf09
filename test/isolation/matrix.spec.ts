import { randomUUID } from 'node:crypto';
import { GraphQLSchemaHost } from '@nestjs/graphql';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromGlobalId, toGlobalId, type NodeType } from '../../src/kernel/global-id.ts';
import { NodeRegistry } from '../../src/platform/graphql/node-registry.ts';
import { TestApi } from '../support/test-api.ts';
import { Kit } from './matrix/kit.ts';
import { graphqlPlaces, setNodeTypes, type IdPlace, type OwnId, type WireRequest } from './matrix/operations.ts';
import { restPlaces, type OpenApi } from './matrix/rest-operations.ts';
import { OPENS_NOTHING } from './matrix/values.ts';

interface Identity {
  readonly name: string;
  readonly tenantId: string;
  readonly token: string | null;
}

let api: TestApi;
let client: Client;
let owner: Identity;
let outsiders: Identity[];
let child: Identity;
let places: IdPlace[];

beforeAll(async () => {
  api = await TestApi.start();
  client = new Client({ connectionString: api.database.adminUrl });
  await client.connect();
  const root = api.administrator.tenantId;
  const rootId = toGlobalId('Tenant', root, root);
  const parent = await makeTenant('Parent', 'PARTNER', rootId);
  const tenant = await makeTenant('Owner', 'PARTNER', parent);
  owner = await identity('owner', tenant, 'SUBTREE');
  child = await identity('child', await makeTenant('Child', 'CUSTOMER', tenant), 'SUBTREE');
  outsiders = [
    await identity('sibling', await makeTenant('Sibling', 'PARTNER', parent), 'SUBTREE'),
    child,
    await identity('parent, for itself only', parent, 'SELF'),
    await identity('unrelated', await makeTenant('Unrelated', 'PARTNER', rootId), 'SUBTREE'),
    { name: 'nobody', tenantId: owner.tenantId, token: null },
  ];
  setNodeTypes(api.running.app.get(NodeRegistry).types());
  const { body } = await api.rest(null, 'GET', '/v1/openapi.json');
  const { schema } = api.running.app.get(GraphQLSchemaHost, { strict: false });
  places = [...graphqlPlaces(schema), ...restPlaces(body as OpenApi)];
});
afterAll(async () => {
  await client.end();
  await api.stop();
});

async function makeTenant(name: string, kind: string, parentId: string): Promise<string> {
  const { body } = await api.rest(api.administrator.token, 'POST', '/v1/tenants', {
    body: { name, kind, parentId },
    headers: { 'idempotency-key': name },
  });
  return (body as { id: string }).id;
}

async function identity(name: string, tenantId: string, reach: string): Promise<Identity> {
  const { body } = await api.rest(api.administrator.token, 'POST', '/v1/tokens', {
    body: { name, tenantId, reach, scopes: ['OWNER'] },
    headers: { 'idempotency-key': name },
  });
  return { name, tenantId: fromGlobalId('Tenant', tenantId).tenantId, token: (body as { secret: string }).secret };
}

/** An id of the right form that nobody has. */
function randomId(type: NodeType, tenantId?: string): string {
  const id = randomUUID();
  return toGlobalId(type, tenantId ?? (type === 'Tenant' ? id : randomUUID()), id);
}

/** A few thousand requests, one after the other. */
const LONG = { timeout: 1_200_000 };
const NOT_COMPARED = new Set(['date', 'x-request-id', 'ratelimit', 'keep-alive']);

/** The whole answer: status, headers and body to the byte. The request id is the same for both. */
async function answer(who: Identity, request: WireRequest): Promise<string> {
  const { status, body, headers } = await api.rest(who.token, request.method, request.path, {
    headers: { ...request.headers, 'x-request-id': 'matrix' },
    ...(request.body === undefined ? {} : { body: request.body }),
  });
  const rest = [...headers].filter(([name]) => !NOT_COMPARED.has(name)).map(([name, value]) => `${name}: ${value}`);
  return [status, ...rest, JSON.stringify(body)].join('\n');
}

/** Nothing, or what the first id's answer tells that the second one's doesn't. */
async function differences(
  who: Identity,
  place: IdPlace,
  [asked, unknown]: readonly [string, string],
  own: OwnId,
): Promise<string[]> {
  const real = await answer(who, place.request(asked, own));
  const random = await answer(who, place.request(unknown, own));
  return real === random ? [] : [`${place.name}, asked by ${who.name}:\n${real}\n--- but for a random id\n${random}`];
}

describe('another tenant’s id', () => {
  it('answers to the byte as a random one does, wherever an id is taken', LONG, async () => {
    const told: string[] = [];
    const theirs = await Kit.make(client, owner.tenantId);
    for (const who of outsiders) {
      const mine = await Kit.make(client, who.tenantId);
      const own: OwnId = (type) => mine.id(type);
      for (const place of places) {
        const forms = [
          { asked: theirs.id(place.type), unknown: randomId(place.type) },
          { asked: theirs.idAs(place.type, who.tenantId), unknown: randomId(place.type, who.tenantId) },
        ];
        for (const { asked, unknown } of forms) {
          told.push(...(await differences(who, place, [asked, unknown], own)));
        }
      }
    }
    const operations = new Set(places.map(({ name }) => name.replace(/ ?\(.*/, '')));
    process.stdout.write(
      `matrix: ${operations.size} operations with ${places.length} ids × ${outsiders.length} identities\n`,
    );
    expect(told).toEqual([]);
  });

  // Without this, a request that fails before it reads the id would pass the test above.
  it('answers its owner otherwise', LONG, async () => {
    const same: string[] = [];
    for (const place of places.filter(({ name }) => !(name in OPENS_NOTHING))) {
      const kit = await Kit.make(client, owner.tenantId);
      // What is given away goes to a tenant below.
      const own: OwnId = (type) =>
        type === 'Tenant' ? toGlobalId('Tenant', child.tenantId, child.tenantId) : kit.id(type);
      const random = await answer(owner, place.request(randomId(place.type), own));
      const real = await answer(owner, place.request(kit.id(place.type), own));
      if (real === random) {
        same.push(`${place.name}: say in matrix/values.ts or matrix/kit.ts what it needs; both answered ${real}`);
      }
    }
    expect(same).toEqual([]);
  });
});

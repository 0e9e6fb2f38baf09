import { randomUUID } from 'node:crypto';
import { GraphQLSchemaHost } from '@nestjs/graphql';
import type { GraphQLSchema } from 'graphql';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromGlobalId, toGlobalId, type NodeType } from '../../src/kernel/global-id.ts';
import { Kit } from '../isolation/matrix/kit.ts';
import { graphqlPlaces, setNodeTypes, type IdPlace, type WireRequest } from '../isolation/matrix/operations.ts';
import { restPlaces, type OpenApi } from '../isolation/matrix/rest-operations.ts';
import { TestApi } from '../support/test-api.ts';
import { FACES, MORE_IN_GRAPHQL, ONLY_GRAPHQL, ONLY_REST } from './both-faces/mapping.ts';
import { anonymous, differences, graphqlOutcome, inCommon, restOutcome, type Outcome } from './both-faces/outcome.ts';
import { fullSelection } from './both-faces/selection.ts';

interface Tenant {
  readonly token: string;
  readonly kit: Kit;
}

/** One operation as both faces have it, about one object. */
interface Pair {
  readonly name: string;
  readonly reads: boolean;
  readonly type: NodeType;
  rest(id: string, own: (type: NodeType) => string): WireRequest;
  graphql(id: string, own: (type: NodeType) => string): WireRequest;
}

let api: TestApi;
let client: Client;
let schema: GraphQLSchema;
let openApi: OpenApi;
let pairs: Pair[];

beforeAll(async () => {
  api = await TestApi.start();
  client = new Client({ connectionString: api.database.adminUrl });
  await client.connect();
  ({ schema } = api.running.app.get(GraphQLSchemaHost, { strict: false }));
  openApi = (await api.rest(null, 'GET', '/v1/openapi.json')).body as OpenApi;
  setNodeTypes([]);
  pairs = pairsOf();
});
afterAll(async () => {
  await client.end();
  await api.stop();
});

function restOperations(): Map<string, { readonly method: string; readonly path: string }> {
  return new Map(
    Object.entries(openApi.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, { operationId }]) => [operationId, { method: method.toUpperCase(), path }] as const,
      ),
    ),
  );
}

function rootFields(): string[] {
  return [schema.getQueryType(), schema.getMutationType()].flatMap((type) => Object.keys(type?.getFields() ?? {}));
}

/** Every operation of both faces, with the object that it is about. */
function pairsOf(): Pair[] {
  const [ofGraphql, ofRest] = [graphqlPlaces(schema), restPlaces(openApi)];
  return [...restOperations()].flatMap(([operationId, { method, path }]) => {
    const field = FACES[operationId];
    const rest = ofRest.find(({ name }) => name.startsWith(`REST ${method} ${path} (`));
    const graphql = ofGraphql.find(({ name, type }) => name.startsWith(`GraphQL ${field}(`) && type === rest?.type);
    if (field === undefined) {
      return [];
    }
    const plain = rest === undefined && method === 'GET' ? [plainPair(operationId, field, path)] : [];
    return rest === undefined || graphql === undefined ? plain : [pairOf(operationId, field, rest, graphql)];
  });
}

function pairOf(name: string, field: string, rest: IdPlace, graphql: IdPlace): Pair {
  const query = schema.getQueryType()?.getFields()[field];
  const definition = query ?? schema.getMutationType()?.getFields()[field];
  const selection = definition === undefined ? '' : fullSelection(definition);
  return {
    name,
    reads: query !== undefined,
    type: rest.type,
    rest: (id, own) => withPage(rest.request(id, own), name),
    graphql: (id, own) => {
      const request = graphql.request(id, own);
      const body = request.body as { readonly query: string; readonly variables: object };
      return {
        ...request,
        body: { ...body, query: body.query.replace(/^(\w+ \(.*?\) \{ \w+\(.*?\)).*$/s, `$1 ${selection} }`) },
      };
    },
  };
}

/** What answers without being told of what. */
function plainPair(name: string, field: string, path: string): Pair {
  const definition = schema.getQueryType()?.getFields()[field];
  const query = `{ ${field} ${definition === undefined ? '' : fullSelection(definition)} }`;
  return {
    name,
    reads: true,
    type: 'Tenant',
    rest: () => ({ method: 'GET', path, headers: {} }),
    graphql: () => ({ method: 'POST', path: '/graphql', headers: {}, body: { query, variables: {} } }),
  };
}

/** GraphQL's generated requests ask for a page of five where there are pages. */
function withPage(request: WireRequest, name: string): WireRequest {
  const { path, method } = restOperations().get(name) ?? { path: '', method: '' };
  const { parameters = [] } = openApi.paths[path]?.[method.toLowerCase()] ?? {};
  const paged = parameters.some((parameter) => parameter.name === 'first');
  return paged ? { ...request, path: `${request.path}${request.path.includes('?') ? '&' : '?'}first=5` } : request;
}

/** A tenant with an object of every type; its name is as random as everything that is compared. */
async function makeTenant(): Promise<Tenant> {
  const root = api.administrator.tenantId;
  const administrator = api.administrator.token;
  const made = await api.rest(administrator, 'POST', '/v1/tenants', {
    body: { name: randomUUID(), kind: 'PARTNER', parentId: toGlobalId('Tenant', root, root) },
    headers: { 'idempotency-key': randomUUID() },
  });
  const { id } = made.body as { id: string };
  const token = await makeToken(id, ['OWNER']);
  return { token, kit: await Kit.make(client, fromGlobalId('Tenant', id).tenantId) };
}

async function makeToken(tenantId: string, scopes: readonly string[]): Promise<string> {
  const made = await api.rest(api.administrator.token, 'POST', '/v1/tokens', {
    body: { tenantId, name: randomUUID(), scopes, reach: 'SUBTREE' },
    headers: { 'idempotency-key': randomUUID() },
  });
  return (made.body as { secret: string }).secret;
}

async function askRest(pair: Pair, token: string | null, id: string, kit: Kit): Promise<Outcome> {
  const { method, path, ...rest } = pair.rest(id, (type) => kit.id(type));
  return restOutcome(await api.rest(token, method, path, rest));
}

async function askGraphql(pair: Pair, token: string | null, id: string, kit: Kit): Promise<Outcome> {
  const { body } = pair.graphql(id, (type) => kit.id(type));
  const { query, variables } = body as { query: string; variables: Record<string, unknown> };
  const outcome = graphqlOutcome(FACES[pair.name] ?? '', await api.graphql(token, query, variables));
  const more = MORE_IN_GRAPHQL[pair.name] ?? [];
  return outcome.error === undefined && more.length > 0 ? { value: without(more, outcome.value) } : outcome;
}

function without(names: readonly string[], value: unknown): unknown {
  return Object.fromEntries(Object.entries(value ?? {}).filter(([name]) => !names.includes(name)));
}

/** Where the two answers differ, as lines that name the operation. */
function compare(pair: Pair, rest: Outcome, graphql: Outcome): string[] {
  const [one, other] = inCommon(rest, graphql);
  return differences(one, other).map((line) => `${pair.name}${line}`);
}

describe('the two faces', () => {
  it('have the same operations, but for those with a reason', () => {
    const rest = [...restOperations().keys()];
    expect(rest.filter((id) => !(id in FACES) && !(id in ONLY_REST))).toEqual([]);
    expect(rootFields().filter((name) => !Object.values(FACES).includes(name) && !(name in ONLY_GRAPHQL))).toEqual([]);
    expect(Object.keys({ ...FACES, ...ONLY_REST }).filter((id) => !rest.includes(id))).toEqual([]);
    expect(
      [...Object.values(FACES), ...Object.keys(ONLY_GRAPHQL)].filter((name) => !rootFields().includes(name)),
    ).toEqual([]);
    const uncompared = Object.keys(FACES).filter((id) => !pairs.some(({ name }) => name === id));
    expect(uncompared).toEqual([]);
  });

  it('read the same of the same objects', async () => {
    const { token, kit } = await makeTenant();
    const wrong: string[] = [];
    let values = 0;
    for (const pair of pairs.filter(({ reads }) => reads)) {
      const rest = await askRest(pair, token, kit.id(pair.type), kit);
      const graphql = await askGraphql(pair, token, kit.id(pair.type), kit);
      wrong.push(...compare(pair, rest, graphql));
      values += rest.error === undefined ? 1 : 0;
    }
    expect(wrong).toEqual([]);
    expect(values).toBe(pairs.filter(({ reads }) => reads).length);
  });

  it('refuse the same in the same words: strangers’ ids, missing permissions, no credential', async () => {
    const { kit } = await makeTenant();
    const stranger = await makeTenant();
    const poor = await makeToken(kit.id('Tenant'), ['usage:read']);
    const wrong: string[] = [];
    for (const pair of pairs) {
      for (const token of [stranger.token, poor, null]) {
        const rest = await askRest(pair, token, kit.id(pair.type), kit);
        wrong.push(...compare(pair, rest, await askGraphql(pair, token, kit.id(pair.type), kit)));
      }
    }
    expect(wrong).toEqual([]);
  });

  it('change the same, each of its own objects', async () => {
    const wrong: string[] = [];
    const changed: string[] = [];
    const changes = pairs.filter(({ reads }) => !reads);
    for (const pair of changes) {
      const [here, there] = [await makeTenant(), await makeTenant()];
      const rest = await askRest(pair, here.token, here.kit.id(pair.type), here.kit);
      const graphql = await askGraphql(pair, there.token, there.kit.id(pair.type), there.kit);
      const empty = rest.error === undefined && graphql.error === undefined && rest.value === null;
      wrong.push(...(empty ? [] : compare(pair, anonymous(rest) as Outcome, anonymous(graphql) as Outcome)));
      changed.push(...(rest.error === undefined ? [pair.name] : []));
    }
    expect(wrong).toEqual([]);
    process.stdout.write(`both faces: ${changed.length} of ${changes.length} changes succeeded\n`);
    expect(changed.length).toBeGreaterThan(changes.length / 2);
  });
});

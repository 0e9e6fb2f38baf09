import { randomUUID } from 'node:crypto';
import {
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLField,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql';
import { GLOBAL_ID_PREFIX, type NodeType } from '../../../src/kernel/global-id.ts';
import { knownValue } from './values.ts';

/** One place of one operation that takes an id. */
export interface IdPlace {
  /** `GraphQL createSite(input.tenantId)`, `REST getSite(siteId)`. */
  readonly name: string;
  readonly type: NodeType;
  /** Builds the request: `place` is the id that is tested, the rest are the caller's own. */
  request(place: string, own: OwnId): WireRequest;
}

export type OwnId = (type: NodeType) => string;

export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

/** The type of object that an argument names: `siteId`, `toNetworkId`, `storageRepositoryIds`. */
export function typeOfArgument(name: string, owner: string): NodeType | undefined {
  const bare = name.replace(/Ids?$/, '').toLowerCase();
  const types = Object.keys(GLOBAL_ID_PREFIX) as NodeType[];
  const byLength = types.toSorted((a, b) => b.length - a.length);
  if (bare === 'parent') {
    return 'Tenant';
  }
  if (bare === 'token') {
    return 'ApiToken';
  }
  const wanted = bare === 'id' || bare === '' ? owner.toLowerCase() : bare;
  return byLength.find((type) => wanted.endsWith(type.toLowerCase()));
}

/** Every argument of type ID of every query and mutation, in inputs however deep. */
export function graphqlPlaces(schema: GraphQLSchema): IdPlace[] {
  const roots = [
    { kind: 'query', type: schema.getQueryType() },
    { kind: 'mutation', type: schema.getMutationType() },
  ];
  return roots.flatMap(({ kind, type }) =>
    Object.values(type?.getFields() ?? {}).flatMap((field) =>
      field.args.flatMap((argument) =>
        idPaths(argument.type, [argument.name]).flatMap((path) => placesOf(kind, field, path)),
      ),
    ),
  );
}

function placesOf(kind: string, field: GraphQLField<unknown, unknown>, path: readonly string[]): IdPlace[] {
  const name = `GraphQL ${field.name}(${path.join('.')})`;
  const returned = getNamedType(field.type).name;
  const types = field.name === 'node' ? nodeTypes() : [typeOfArgument(path.at(-1) ?? '', returned)];
  return types.map((type) => {
    if (type === undefined) {
      throw new Error(`${name} takes an id, but of what? Name it after its type, or teach typeOfArgument.`);
    }
    return {
      name: field.name === 'node' ? `${name} of ${type}` : name,
      type,
      request: (place, own) => graphqlRequest(kind, field, path, place, own),
    };
  });
}

let registered: readonly NodeType[] = [];
export function setNodeTypes(types: readonly NodeType[]): void {
  registered = types;
}
function nodeTypes(): readonly NodeType[] {
  return registered;
}

function idPaths(type: GraphQLInputType, path: readonly string[]): string[][] {
  const named = getNamedType(type);
  if (named.name === 'ID') {
    return [[...path]];
  }
  if (!isInputObjectType(named) || path.length > 4) {
    return [];
  }
  return Object.values(named.getFields()).flatMap((field) => idPaths(field.type, [...path, field.name]));
}

function graphqlRequest(
  kind: string,
  field: GraphQLField<unknown, unknown>,
  path: readonly string[],
  place: string,
  own: OwnId,
): WireRequest {
  const variables: Record<string, unknown> = {};
  for (const argument of field.args) {
    const onPath = path[0] === argument.name;
    if (isNonNullType(argument.type) || onPath || argument.name === 'first') {
      variables[argument.name] = valueOf(argument.type, {
        operation: field.name,
        owner: getNamedType(field.type).name,
        name: argument.name,
        path: onPath ? path : [],
        tested: path.at(-1) ?? '',
        place,
        own,
      });
    }
  }
  const used = field.args.filter(({ name }) => name in variables);
  const declared = used.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
  const given = used.map(({ name }) => `${name}: $${name}`).join(', ');
  const query = `${kind} (${declared}) { ${field.name}(${given}) ${selectionOf(field)} }`;
  return { method: 'POST', path: '/graphql', headers: {}, body: { query, variables } };
}

function selectionOf(field: GraphQLField<unknown, unknown>): string {
  const type = getNamedType(field.type);
  const fields = isObjectType(type) || isInterfaceType(type) ? type.getFields() : null;
  if (fields === null) {
    return '';
  }
  if ('edges' in fields) {
    return '{ edges { node { __typename } } }';
  }
  return 'userErrors' in fields ? '{ __typename userErrors { code message path } }' : '{ __typename }';
}

interface Spot {
  readonly operation: string;
  readonly owner: string;
  readonly name: string;
  /** What is left of the way to the tested id, beginning with this name; empty where the way leads elsewhere. */
  readonly path: readonly string[];
  /** The name of the tested argument. */
  readonly tested: string;
  readonly place: string;
  readonly own: OwnId;
}

function valueOf(type: GraphQLInputType, spot: Spot): unknown {
  const inner = getNullableType(type);
  const known = spot.path.length > 0 ? undefined : knownValue(spot.operation, spot.name, spot);
  if (known !== undefined) {
    return known;
  }
  if (isListType(inner)) {
    return [valueOf(inner.ofType, spot)];
  }
  if (isInputObjectType(inner)) {
    return inputOf(inner, spot);
  }
  return isEnumType(inner) ? inner.getValues()[0]?.name : scalarOf(String(inner), spot);
}

function inputOf(type: GraphQLInputObjectType, spot: Spot): Record<string, unknown> {
  const entries: [string, unknown][] = [];
  for (const field of Object.values(type.getFields())) {
    const onPath = spot.path[1] === field.name;
    const given = knownValue(spot.operation, field.name, spot, true) !== undefined;
    if (isNonNullType(field.type) || onPath || given) {
      const path = onPath ? spot.path.slice(1) : [];
      entries.push([field.name, valueOf(field.type, { ...spot, name: field.name, path })]);
    }
  }
  return Object.fromEntries(entries);
}

function scalarOf(scalar: string, { name, owner, path, place, own }: Spot): unknown {
  if (scalar === 'ID') {
    const type = typeOfArgument(name, owner);
    return path.length > 0 || type === undefined ? place : own(type);
  }
  const values: Record<string, unknown> = {
    Int: 1,
    Boolean: true,
    BigInt: '1',
    DateTime: '2026-01-31T12:00:00.000Z',
    String: randomUUID(),
  };
  return values[scalar];
}

import { randomUUID } from 'node:crypto';
import type { NodeType } from '../../../src/kernel/global-id.ts';
import type { IdPlace, OwnId, WireRequest } from './operations.ts';
import { knownValue } from './values.ts';

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly format?: string;
  readonly minimum?: number;
  readonly const?: unknown;
  readonly idOf?: NodeType;
  readonly 'x-holdfast-id'?: NodeType;
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema?: Schema;
}

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: { readonly 'application/json'?: { readonly schema: Schema } } };
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** Every path, query and body parameter that is a global id. */
export function restPlaces({ paths }: OpenApi): IdPlace[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => placesOf(path, method.toUpperCase(), operation)),
  );
}

function placesOf(path: string, method: string, operation: Operation): IdPlace[] {
  const found: { readonly where: readonly string[]; readonly type: NodeType }[] = [];
  for (const { name, schema } of operation.parameters ?? []) {
    const type = schema?.['x-holdfast-id'];
    if (type !== undefined) {
      found.push({ where: [name], type });
    }
  }
  found.push(...idsIn(bodyOf(operation), ['body']));
  return found.map(({ where, type }) => ({
    name: `REST ${method} ${path} (${where.join('.')})`,
    type,
    request: (place, own) => requestOf(path, method, operation, { where, tested: where.at(-1) ?? '', place, own }),
  }));
}

function bodyOf(operation: Operation): Schema {
  return operation.requestBody?.content['application/json']?.schema ?? {};
}

function idsIn(schema: Schema, where: readonly string[]): { where: readonly string[]; type: NodeType }[] {
  if (schema.idOf !== undefined) {
    return [{ where, type: schema.idOf }];
  }
  const parts = [
    ...(schema.anyOf ?? []),
    ...(schema.oneOf ?? []),
    ...(schema.items === undefined ? [] : [schema.items]),
  ];
  return [
    ...parts.flatMap((part) => idsIn(part, where)),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, part]) => idsIn(part, [...where, name])),
  ];
}

interface Asked {
  /** The name of the tested parameter. */
  readonly tested: string;
  readonly where: readonly string[];
  readonly place: string;
  readonly own: OwnId;
}

function requestOf(path: string, method: string, operation: Operation, asked: Asked): WireRequest {
  const headers: Record<string, string> = {};
  const query = new URLSearchParams();
  let filled = path;
  for (const parameter of operation.parameters ?? []) {
    const tested = asked.where.length === 1 && asked.where[0] === parameter.name;
    if (parameter.in === 'path') {
      filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(parameterOf(parameter, tested, asked)));
    } else if (parameter.in === 'query' && (tested || parameter.required === true)) {
      query.set(parameter.name, parameterOf(parameter, tested, asked));
    } else if (parameter.name === 'Idempotency-Key') {
      headers['idempotency-key'] = randomUUID();
    }
  }
  const suffix = query.size > 0 ? `?${query.toString()}` : '';
  const request = { method, path: `${filled}${suffix}`, headers };
  return operation.requestBody === undefined
    ? request
    : { ...request, body: valueOf(bodyOf(operation), operation.operationId, ['body'], asked) };
}

function parameterOf({ schema }: Parameter, tested: boolean, { place, own }: Asked): string {
  const type = schema?.['x-holdfast-id'];
  return tested ? place : type === undefined ? '1' : own(type);
}

function valueOf(schema: Schema, operation: string, where: readonly string[], asked: Asked): unknown {
  const name = where.at(-1) ?? '';
  if (schema.idOf !== undefined) {
    return where.join('.') === asked.where.join('.') ? asked.place : asked.own(schema.idOf);
  }
  const onTheWay = asked.where.join('.').startsWith(where.join('.'));
  const known = onTheWay ? undefined : knownValue(operation, name, asked);
  if (known !== undefined) {
    return known;
  }
  const choice = (schema.anyOf ?? schema.oneOf)?.[0];
  if (choice !== undefined) {
    return valueOf(choice, operation, where, asked);
  }
  if (schema.properties !== undefined) {
    return objectOf(schema, operation, where, asked);
  }
  if (schema.items !== undefined) {
    return [valueOf(schema.items, operation, where, asked)];
  }
  return scalarOf(schema);
}

function objectOf(schema: Schema, operation: string, where: readonly string[], asked: Asked): unknown {
  const entries: [string, unknown][] = [];
  for (const [name, part] of Object.entries(schema.properties ?? {})) {
    const here = [...where, name];
    const onTheWay = asked.where.join('.').startsWith(here.join('.'));
    if (
      onTheWay ||
      schema.required?.includes(name) === true ||
      knownValue(operation, name, asked, true) !== undefined
    ) {
      entries.push([name, valueOf(part, operation, here, asked)]);
    }
  }
  return Object.fromEntries(entries);
}

function scalarOf(schema: Schema): unknown {
  if (schema.const !== undefined || schema.enum !== undefined) {
    return schema.const ?? schema.enum?.[0];
  }
  if (schema.type === 'integer' || schema.type === 'number') {
    return Math.max(1, schema.minimum ?? 1);
  }
  if (schema.type === 'boolean') {
    return true;
  }
  return schema.format === 'date-time' ? '2026-12-31T12:00:00.000Z' : randomUUID();
}

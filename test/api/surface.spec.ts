import { ModulesContainer } from '@nestjs/core';
import { GraphQLSchemaHost } from '@nestjs/graphql';
import { getNamedType, isInterfaceType, isObjectType, type GraphQLObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { REQUIRED_PERMISSION } from '../../src/platform/auth/requires-permission.ts';
import { NodeRegistry } from '../../src/platform/graphql/node-registry.ts';
import { viewsByName } from '../../src/platform/wire/view.ts';
import { TestApi } from '../support/test-api.ts';

const HANDLER_MARKS = ['graphql:resolver_type', 'graphql:resolve_property', 'method'];
/** Made by helpers from what a service gives, never from a view of their own. */
const STRUCTURE = /(Connection|Edge|Payload)$|^(PageInfo|UserError)$/;
const ROOTS = new Set(['Query', 'Mutation', 'Subscription']);

let api: TestApi;

beforeAll(async () => {
  api = await TestApi.start();
});
afterAll(async () => {
  await api.stop();
});

interface Handler {
  readonly name: string;
  readonly handler: object;
}

function handlers(): Handler[] {
  const modules = [...api.running.app.get(ModulesContainer).values()];
  const wrappers = modules.flatMap((module) => [...module.providers.values(), ...module.controllers.values()]);
  return wrappers.flatMap(({ metatype }) => handlersOf(metatype?.prototype, metatype?.name ?? ''));
}

function handlersOf(prototype: unknown, owner: string): Handler[] {
  if (typeof prototype !== 'object' || prototype === null) {
    return [];
  }
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    if (name === 'constructor') {
      return [];
    }
    const handler: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
    const marked = typeof handler === 'function' && HANDLER_MARKS.some((mark) => Reflect.hasMetadata(mark, handler));
    return marked ? [{ name: `${owner}.${name}`, handler }] : [];
  });
}

function objectTypes(): GraphQLObjectType[] {
  const { schema } = api.running.app.get(GraphQLSchemaHost, { strict: false });
  return Object.values(schema.getTypeMap()).filter(
    (type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith('__'),
  );
}

/** The views, and the unnamed objects inside them under the names that the SDL gives them. */
function viewsAndParts(): Map<string, z.ZodObject> {
  const types = new Map(objectTypes().map((type) => [type.name, type]));
  const views = new Map(viewsByName());
  for (const [name, view] of views) {
    for (const [key, shape] of Object.entries(view.shape)) {
      const field = types.get(name)?.getFields()[key];
      const part = objectIn(shape);
      if (field !== undefined && part !== undefined && !views.has(getNamedType(field.type).name)) {
        views.set(getNamedType(field.type).name, part);
      }
    }
  }
  return views;
}

function objectIn(shape: unknown): z.ZodObject | undefined {
  if (shape instanceof z.ZodNullable || shape instanceof z.ZodOptional) {
    return objectIn(shape.unwrap());
  }
  return shape instanceof z.ZodArray ? objectIn(shape.element) : shape instanceof z.ZodObject ? shape : undefined;
}

describe('the public surface', () => {
  // A handler without a permission once meant that whoever had any token could call it.
  it('names a permission on every resolver and controller method', () => {
    const all = handlers();
    const open = all.filter(({ handler }) => !Reflect.hasMetadata(REQUIRED_PERMISSION, handler));
    expect(open.map(({ name }) => name)).toEqual([]);
    expect(all.length).toBeGreaterThan(20);
  });

  // GraphQL starts happily with a field that nothing answers, and says null for it.
  it('answers every field of the SDL, and takes arguments only where a resolver reads them', () => {
    const unanswered: string[] = [];
    const views = viewsAndParts();
    for (const type of objectTypes()) {
      const view = views.get(type.name);
      for (const field of Object.values(type.getFields())) {
        const fromView = view !== undefined && field.name in view.shape && field.args.length === 0;
        const made = STRUCTURE.test(type.name) && field.args.length === 0;
        if (field.resolve === undefined && !(fromView || made) && field.subscribe === undefined) {
          unanswered.push(`${type.name}.${field.name}`);
        }
      }
    }
    expect(unanswered).toEqual([]);
  });

  it('has every key of every view in the SDL, with a description of the type', () => {
    const types = new Map(objectTypes().map((type) => [type.name, type]));
    const missing: string[] = [];
    for (const [name, view] of viewsByName()) {
      const fields = types.get(name)?.getFields() ?? {};
      const keys = Object.keys(view.shape).filter((key) => key !== '__typename' && !(key in fields));
      missing.push(...keys.map((key) => `${name}.${key}`));
    }
    expect(missing).toEqual([]);
    const undescribed = [...types.values()].filter(
      ({ name, description }) => !STRUCTURE.test(name) && !ROOTS.has(name) && !description,
    );
    expect(undescribed.map(({ name }) => name)).toEqual([]);
  });

  it('finds every type that has a global id through node(id:)', () => {
    const { schema } = api.running.app.get(GraphQLSchemaHost, { strict: false });
    const node = schema.getType('Node');
    const types = isInterfaceType(node) ? schema.getImplementations(node).objects.map(({ name }) => name) : [];
    expect(api.running.app.get(NodeRegistry).types().toSorted()).toEqual(types.toSorted());
  });

  it('describes every operation of REST once', async () => {
    const { body } = await api.rest(null, 'GET', '/v1/openapi.json');
    const { paths } = body as { paths: Record<string, Record<string, { operationId: string; summary?: string }>> };
    const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
    const ids = operations.map(({ operationId }) => operationId);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
    expect(operations.filter(({ summary }) => !summary)).toEqual([]);
  });
});

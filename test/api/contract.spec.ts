import { GraphQLSchemaHost } from '@nestjs/graphql';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApiDocument } from '../../src/platform/rest/openapi.ts';
import { TestApi } from '../support/test-api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await TestApi.start();
});
afterAll(async () => {
  await api.stop();
});

/** What clients rely on, as files: whoever changes the contract shows it in the same commit (`npm run gen:openapi`). */
describe('the contract in docs/', () => {
  it('is what REST serves', async () => {
    const document = `${JSON.stringify(openApiDocument(api.running.app), null, 2)}\n`;
    expect((await api.rest(null, 'GET', '/v1/openapi.json')).body).toEqual(JSON.parse(document));
    await expect(document).toMatchFileSnapshot('../../docs/openapi.json');
  });

  it('has a schema wherever it refers to one, and one for each name', () => {
    const document = openApiDocument(api.running.app);
    const text = JSON.stringify(document);
    const names = [...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, ref = '']) => ref);
    const there = Object.keys(document.components?.schemas ?? {}).map((name) => `#/components/schemas/${name}`);
    expect([...new Set(names)].filter((ref) => !there.includes(ref))).toEqual([]);
    expect(there).toContain('#/components/schemas/Job');
    expect(text).not.toContain('$defs');
  });

  it('is what GraphQL serves, every file and generated enum of it in one', async () => {
    const { schema } = api.running.app.get(GraphQLSchemaHost, { strict: false });
    await expect(`${printSchema(lexicographicSortSchema(schema))}\n`).toMatchFileSnapshot('../../docs/schema.graphql');
  });
});

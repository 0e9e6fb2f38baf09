import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestApi, type RestAnswer } from '../support/test-api.ts';

const CREATE = `mutation ($name: String!, $key: String!) {
  createSite(input: { name: $name, idempotencyKey: $key }) { site { id } userErrors { code } } }`;

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
});
afterAll(async () => {
  await api.stop();
});

async function createSite(name: unknown): Promise<RestAnswer> {
  const headers = { 'idempotency-key': randomUUID() };
  return await api.rest(api.administrator.token, 'POST', '/v1/sites', { body: { name }, headers });
}

async function codeOf(name: string, key: string): Promise<unknown> {
  const { body } = await api.graphql(api.administrator.token, CREATE, { name, key });
  return body.errors?.[0]?.extensions['code'];
}

const REFUSED_NAMES: Readonly<Record<string, string>> = {
  'the character NUL, which PostgreSQL refuses': 'a\u0000b',
  'half a surrogate pair, which is no text': 'a\ud800b',
  'a line break, which would end a header': 'a\r\nX-Evil: 1',
  'a character that turns the direction of what is read': 'a\u202eb',
};

describe('text from outside', () => {
  it.each(Object.entries(REFUSED_NAMES))('is refused with %s', async (_, name) => {
    expect(await createSite(name)).toMatchObject({
      status: 400,
      body: { code: 'BAD_INPUT', data: { paths: ['name'] } },
    });
    expect(await codeOf(name, randomUUID())).toBe('BAD_INPUT');
  });

  it('is refused as an idempotency key too', async () => {
    expect(await codeOf('A name', 'key\u0000')).toBe('BAD_INPUT');
    expect(await codeOf('A name', 'key\udc00')).toBe('BAD_INPUT');
  });

  it('may be in any script', async () => {
    expect(await createSite('Zürich 東京 שלום 🏢')).toMatchObject({
      status: 201,
      body: { name: 'Zürich 東京 שלום 🏢' },
    });
  });

  it.each([
    ['a page size below one', '/v1/sites?first=-1'],
    ['a page size beyond 2^53', '/v1/sites?first=9007199254740993'],
    ['a size that comes twice', '/v1/sites?first=1&first=2'],
    ['a cursor that was made up', '/v1/sites?first=1&after=AAAA'],
    ['a path that is no text', '/v1/sites/%ff%00'],
  ])('is an input error and no fault of ours: %s', async (_, path) => {
    expect(await api.rest(api.administrator.token, 'GET', path)).toMatchObject({
      status: 400,
      body: { kind: 'invalid' },
    });
  });

  it.each([
    ['a field that does not exist', '{ nope }'],
    ['half a document', '{ sites(first: '],
    ['braces without end', '{'.repeat(5000)],
    ['a number beyond 2^53', '{ sites(first: 9007199254740993) { edges { cursor } } }'],
    ['a subscription over HTTP', 'subscription { events { id } }'],
  ])('is an input error in GraphQL: %s', async (_, query) => {
    const { body } = await api.graphql(api.administrator.token, query);
    expect(body.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_INPUT', kind: 'invalid' });
  });
});

describe('a credential', () => {
  // What stands in an address lands in logs and histories; what stands in a form is sent by any page.
  it.each([
    ['query string', '/graphql?access_token=', {}],
    ['body', '/graphql?', { access_token: true }],
  ])('is not taken from the %s', async (_, path, extra) => {
    const { token } = api.administrator;
    const body = {
      query: '{ sites(first: 1) { edges { cursor } } }',
      ...('access_token' in extra ? { access_token: token } : {}),
    };
    const answer = await api.rest(null, 'POST', `${path}${path.endsWith('=') ? token : ''}`, { body });
    expect(answer.body).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  });
});

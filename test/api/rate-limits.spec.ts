import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestApi } from '../support/test-api.ts';

const VIEWER = '{ viewer { tenantId } }';
const TOKEN = `mutation ($input: CreateTokenInput!) { createToken(input: $input) { secret } }`;
const LONG = `{"query":"${'x'.repeat(1_100_000)}"}`;
const LIMITS = { perToken: 4, perTenant: 9, perAddress: 3, windowMs: 3_600_000 };

let api: TestApi;

beforeAll(async () => {
  api = await TestApi.start({ limits: LIMITS, trustedProxies: [{ address: '127.0.0.0', prefix: 8, family: 'ipv4' }] });
});
afterAll(async () => {
  await api.stop();
});

describe('the rate limits', () => {
  it('say on both faces what is left, and refuse on both with the same code', async () => {
    const { token } = api.administrator;
    const { createToken } = await api.data<{ createToken: { secret: string } }>(token, TOKEN, {
      input: { name: 'second', scopes: ['READER'], idempotencyKey: 'second' },
    });
    const rest = await api.rest(token, 'GET', '/v1/viewer');
    expect(rest.status).toBe(200);
    expect(rest.headers.get('ratelimit-policy')).toBe('"token";q=4;w=3600, "tenant";q=9;w=3600');
    expect(rest.headers.get('ratelimit')).toMatch(/^"token";r=2;t=\d+, "tenant";r=7;t=\d+$/);
    const graphql = await api.graphql(token, VIEWER);
    expect(graphql.headers.get('ratelimit')).toMatch(/^"token";r=1;t=\d+, "tenant";r=6;t=\d+$/);
    expect((await api.rest(token, 'GET', '/v1/nothing')).headers.get('ratelimit')).toMatch(/^"token";r=0;/);

    const restRefusal = await api.rest(token, 'GET', '/v1/viewer');
    expect(restRefusal.status).toBe(429);
    expect(restRefusal.headers.get('content-type')).toContain('application/problem+json');
    const graphqlRefusal = await api.graphql(token, VIEWER);
    expect(graphqlRefusal.status).toBe(429);
    for (const { headers } of [restRefusal, graphqlRefusal]) {
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(800);
      expect(headers.get('ratelimit')).toMatch(/^"token";r=0;t=\d+, "tenant";r=5;t=\d+$/);
    }
    const problem = { code: 'RATE_LIMITED', kind: 'quota', data: { policies: ['token'] } };
    expect(restRefusal.body).toMatchObject({ status: 429, ...problem });
    expect(graphqlRefusal.body).toEqual({
      errors: [{ message: expect.any(String), extensions: expect.objectContaining(problem) }],
    });

    const others = [1, 2, 3, 4].map(async () => await api.rest(createToken.secret, 'GET', '/v1/viewer'));
    expect((await Promise.all(others)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  it('count whoever has no valid credential by address, and never those who supervise the process', async () => {
    const from = async (address: string, token: string | null = null): Promise<number> => {
      const { status } = await api.rest(token, 'GET', '/v1/viewer', { headers: { 'x-forwarded-for': address } });
      return status;
    };
    expect(await from('192.0.2.7')).toBe(401);
    expect(await from('192.0.2.7', 'hf_live_guess')).toBe(401);
    expect(await from('192.0.2.7')).toBe(401);
    expect(await from('192.0.2.7')).toBe(429);
    expect(await from('192.0.2.8')).toBe(401);
    for (let i = 0; i < 5; i += 1) {
      expect((await api.rest(null, 'GET', '/healthz')).status).toBe(200);
    }
  });

  it.each([
    ['/v1/sites', LONG, 413, 'BODY_TOO_LARGE', 'Payload Too Large'],
    ['/graphql', LONG, 413, 'BODY_TOO_LARGE', 'Payload Too Large'],
    ['/v1/sites', '{"password":"hunter2', 400, 'BAD_INPUT', 'Bad Request'],
    ['/graphql', '{"password":"hunter2', 400, 'BAD_INPUT', 'Bad Request'],
  ])('count a body at %s that is refused before anything reads it', async (path, body, status, code, title) => {
    const response = await fetch(`${api.running.url}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-request-id': 'mine',
        'x-forwarded-for': path === '/graphql' ? '192.0.2.21' : '192.0.2.22',
      },
      body,
    });
    const text = await response.text();
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(response.headers.get('ratelimit')).toMatch(/^"address";r=\d;/);
    expect(JSON.parse(text)).toMatchObject({ status, code, title, requestId: 'mine', detail: expect.any(String) });
    expect(text).not.toContain('hunter2');
  });
});

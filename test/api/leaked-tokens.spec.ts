import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestApi } from '../support/test-api.ts';

interface Made {
  readonly token: { readonly id: string };
  readonly secret: string;
}

let api: TestApi;
let root: string;
beforeAll(async () => {
  api = await TestApi.start();
  root = api.administrator.token;
});
afterAll(async () => {
  await api.stop();
});

async function ask(
  by: string,
  path: string,
  body: Record<string, unknown> = {},
): Promise<{ status: number; body: unknown }> {
  return await api.rest(by, 'POST', `/v1/tokens${path}`, { body, headers: { 'idempotency-key': randomUUID() } });
}

async function create(by: string, allowedAddresses: readonly string[] = []): Promise<Made> {
  const { body } = await ask(by, '', { name: 'x', scopes: ['tokens:write', 'sites:read'], allowedAddresses });
  return body as Made;
}

async function rotate(by: string, { token }: Made): Promise<Made> {
  return (await ask(by, `/${token.id}/rotate`)).body as Made;
}

async function works(secret: string): Promise<boolean> {
  return (await api.rest(secret, 'GET', '/v1/viewer')).status === 200;
}

describe('whoever found a token that may write tokens', () => {
  it('keeps no secret that it had another token rotated to, once the leaked one is revoked', async () => {
    const [leaked, victim] = [await create(root), await create(root)];
    const first = await rotate(leaked.secret, victim);
    const second = await rotate(leaked.secret, victim);
    expect([await works(first.secret), await works(second.secret)]).toEqual([true, true]);
    await ask(root, `/${leaked.token.id}/revoke`);
    expect([await works(first.secret), await works(second.secret)]).toEqual([false, false]);
    const clean = await rotate(root, victim);
    expect([await works(clean.secret), await works(second.secret)]).toEqual([true, false]);
  });

  it('leaves the owner’s own secret good for the overlap', async () => {
    const [leaked, victim] = [await create(root), await create(root)];
    const stolen = await rotate(leaked.secret, victim);
    await ask(root, `/${leaked.token.id}/revoke`);
    expect([await works(stolen.secret), await works(victim.secret)]).toEqual([false, true]);
  });

  it('gets none that works from more networks than the leaked one', async () => {
    const leaked = await create(root, ['127.0.0.0/8', '192.0.2.0/24']);
    const free = await create(root);
    const exceeded = { status: 403, body: { code: 'SCOPE_EXCEEDED', data: { field: 'allowedAddresses' } } };
    const wish = { name: 'x', scopes: ['sites:read'] };
    expect(await ask(leaked.secret, '', wish)).toMatchObject(exceeded);
    expect(await ask(leaked.secret, '', { ...wish, allowedAddresses: ['127.0.0.1', '198.51.100.1'] })).toMatchObject(
      exceeded,
    );
    expect(await ask(leaked.secret, `/${free.token.id}/rotate`)).toMatchObject(exceeded);
    const within = await ask(leaked.secret, '', { ...wish, allowedAddresses: ['127.0.0.1', '192.0.2.128/25'] });
    expect(within.status).toBe(201);
    expect((await ask(leaked.secret, `/${leaked.token.id}/rotate`)).status).toBe(200);
  });
});

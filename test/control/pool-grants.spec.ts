import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { House, keyOf, type Named, type TestTenant } from './house.ts';

const GRANT = `mutation ($input: GrantPoolInput!) { grantPool(input: $input) {
  poolGrant { id tenantId poolId name storageRepositoryIds networkIds revokedAt version } userErrors { code path } } }`;
const REVOKE = `mutation ($input: RevokePoolGrantInput!) { revokePoolGrant(input: $input) {
  poolGrant { id revokedAt version } userErrors { code path } } }`;
const PLACEMENTS = `query ($tenantId: ID) { placements(tenantId: $tenantId) { poolId poolName poolGrantId
  storageRepositories { id name xenUuid } networks { id name } } }`;

interface Granted {
  readonly poolGrant: { readonly id: string } & Record<string, unknown>;
}
interface SeenPlacement {
  readonly poolId: string;
  readonly poolGrantId: string | null;
}

let house: House;
let poolId: string;
let fast: Named;
let lan: Named;
beforeAll(async () => {
  house = await House.build();
  poolId = await house.addPool(house.provider, 'Shared');
  const { srs, networks } = await house.parts(house.provider, poolId);
  fast = named(srs, 'fast');
  lan = named(networks, 'lan');
});
afterAll(async () => {
  await house.stop();
});

function named(parts: readonly Named[], name: string): Named {
  const part = parts.find((one) => one.name === name);
  if (part === undefined) {
    throw new Error(`no ${name}`);
  }
  return part;
}

function request(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const places = { storageRepositoryIds: [fast.id], networkIds: [lan.id] };
  return { tenantId: house.acme.id, poolId, name: 'Landing zone', ...places, ...changes };
}

async function placements(tenant: TestTenant): Promise<readonly SeenPlacement[]> {
  return (await house.api.data<{ placements: SeenPlacement[] }>(tenant.token, PLACEMENTS)).placements;
}

async function refusal(token: string, changes: Record<string, unknown>): Promise<unknown> {
  const input = { idempotencyKey: JSON.stringify(changes), ...request(changes) };
  const { body } = await house.api.graphql(token, GRANT, { input });
  return body.errors?.[0]?.message;
}

describe('pool grants', () => {
  it('name storage and networks of that very pool, not of the next one', async () => {
    const { srs, networks } = await house.parts(house.provider, await house.addPool(house.provider, 'Beside it'));
    const [sr, network] = [named(srs, 'fast').id, named(networks, 'lan').id];
    const { token } = house.provider;
    expect(await refusal(token, { storageRepositoryIds: [sr] })).toBe('StorageRepository not found.');
    expect(await refusal(token, { networkIds: [lan.id, network] })).toBe('Network not found.');
  });

  it('open the named storage and networks of a pool to a tenant, and nothing else of it', async () => {
    const { poolGrant } = await house.mutate<Granted>(house.provider.token, GRANT, request());
    expect(poolGrant).toEqual({
      id: expect.stringMatching(/^pgr_/),
      tenantId: house.acme.id,
      poolId,
      name: 'Landing zone',
      storageRepositoryIds: [fast.id],
      networkIds: [lan.id],
      revokedAt: null,
      version: 1,
    });
    expect(await placements(house.acme)).toEqual([
      {
        poolId,
        poolName: 'Shared',
        poolGrantId: poolGrant.id,
        storageRepositories: [{ id: fast.id, name: 'fast', xenUuid: 'sr-1' }],
        networks: [{ id: lan.id, name: 'lan' }],
      },
    ]);
    expect(await placements(house.zenith)).toEqual([]);
    const pool = await house.api.rest(house.acme.token, 'GET', `/v1/pools/${poolId}`);
    expect(pool.status).toBe(404);
    const held = await house.api.rest(house.acme.token, 'GET', '/v1/pool-grants');
    expect(held.body).toMatchObject({ items: [{ id: poolGrant.id }] });
    const rest = await house.api.rest(house.acme.token, 'GET', '/v1/placements');
    expect(rest.body).toMatchObject({ items: [{ poolId, storageRepositories: [{ name: 'fast' }] }] });
  });

  it('end when they are revoked', async () => {
    const { poolGrant } = await house.mutate<Granted>(
      house.provider.token,
      GRANT,
      request({ tenantId: house.zenith.id }),
    );
    const input = { poolGrantId: poolGrant.id, expectedVersion: 1 };
    expect(await house.mutate(house.provider.token, REVOKE, input)).toMatchObject({
      poolGrant: { revokedAt: expect.any(String), version: 2 },
    });
    expect(await placements(house.zenith)).toEqual([]);
    expect(await house.mutate(house.provider.token, REVOKE, input)).toMatchObject({
      poolGrant: null,
      userErrors: [{ code: 'VERSION_CONFLICT' }],
    });
  });

  it('are written from above only', async () => {
    const { poolGrant } = await house.mutate<Granted>(house.provider.token, GRANT, request());
    const byHolder = await house.api.graphql(house.acme.token, REVOKE, { input: { poolGrantId: poolGrant.id } });
    expect(byHolder.body.errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
    const bySibling = await house.api.graphql(house.zenith.token, REVOKE, { input: { poolGrantId: poolGrant.id } });
    expect(bySibling.body.errors?.[0]?.message).toBe('PoolGrant not found.');
    expect(await refusal(house.acme.token, {})).toMatch(/lacks the permission|given and taken back by a tenant above/);
    expect(await refusal(house.provider.token, { tenantId: house.provider.id })).toMatch(/tenant above its holder/);
  });

  it('name pools of tenants above, and parts of those pools', async () => {
    const own = await house.addPool(house.zenith, 'Zenith own');
    const { srs } = await house.parts(house.zenith, own);
    expect(await refusal(house.provider.token, { poolId: own, storageRepositoryIds: [srs[0]?.id] })).toBe(
      'Pool not found.',
    );
    expect(await refusal(house.provider.token, { storageRepositoryIds: [srs[0]?.id] })).toBe(
      'StorageRepository not found.',
    );
    expect(await refusal(house.provider.token, { networkIds: [lan.id, 'net_nonsense'] })).toBe('Network not found.');
  });

  it('cannot be forged past the service', async () => {
    const own = await house.addPool(house.zenith, 'Zenith second');
    const { srs } = await house.parts(house.zenith, own);
    const forged = house.api.sql(
      `insert into app.pool_grant (tenant_id, pool_owner_id, pool_id, name, sr_ids) values ($1, $2, $3, 'forged', $4)`,
      [keyOf(house.acme.id).id, keyOf(own).tenantId, keyOf(own).id, [keyOf(srs[0]?.id ?? '').id]],
    );
    await expect(forged).rejects.toThrow(/of a tenant above/);
  });

  it('end with the pool', async () => {
    const doomed = await house.addPool(house.provider, 'Doomed');
    const { srs } = await house.parts(house.provider, doomed);
    const given = request({ poolId: doomed, storageRepositoryIds: [srs[0]?.id], networkIds: [] });
    const { poolGrant } = await house.mutate<Granted>(house.provider.token, GRANT, given);
    const gone = await house.api.rest(house.provider.token, 'DELETE', `/v1/pools/${doomed}`, {
      headers: { 'idempotency-key': 'doomed' },
    });
    expect(gone.status).toBe(204);
    const left = await house.api.rest(house.acme.token, 'GET', `/v1/pool-grants/${poolGrant.id}`);
    expect(left.body).toMatchObject({ revokedAt: expect.any(String) });
    expect((await placements(house.acme)).map((one) => one.poolId)).not.toContain(doomed);
  });

  it("are not needed for a pool of one's own", async () => {
    const own = await house.addPool(house.acme, 'Acme own');
    expect(await placements(house.acme)).toContainEqual(expect.objectContaining({ poolId: own, poolGrantId: null }));
  });
});

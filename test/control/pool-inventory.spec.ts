import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AccessService } from '../../src/control/access/access.service.ts';
import { CERTIFICATE, FOUND_POOL, foundPool, foundVm, inventory } from './found.ts';
import { House, keyOf } from './house.ts';
import { PoolDesk } from './pool-desk.ts';

const ACCEPT = `mutation ($input: AcceptPoolCertificatesInput!) { acceptPoolCertificates(input: $input) {
  pool { pinnedCertificates { address sha256 } } userErrors { code path } } }`;

let house: House;
let desk: PoolDesk;
beforeAll(async () => {
  house = await House.build();
  desk = new PoolDesk(house);
});
afterAll(async () => {
  await house.stop();
});

describe('what the worker finds', () => {
  it('is shown with the pool, certificates pinned', async () => {
    const poolId = await house.addPool(house.provider, 'Found');
    expect(await desk.read(poolId)).toMatchObject({
      state: 'CONNECTED',
      stateCode: null,
      xenUuid: `xen-${poolId}`,
      xenVersion: 'XCP-ng 8.3.0',
      inventoryAt: expect.any(String),
      capabilities: { changedBlocksLicensed: true, nbd: 'TLS', checkpointLicensed: true },
      pinnedCertificates: FOUND_POOL.certificates,
      hosts: { edges: [{ node: { name: 'alpha' } }, { node: { name: 'beta' } }] },
    });
  });

  it('marks what is gone and takes back what returns', async () => {
    const poolId = await house.addPool(house.provider, 'Moving');
    const one = { ...inventory([foundVm('vm-2', 'mail')]), hosts: inventory().hosts.slice(1) };
    await desk.report(poolId, async (pools, key) => await pools.storeInventory(key, one));
    const gone = await house.poolVms(house.provider, poolId);
    expect(gone.map(({ name, goneAt }) => [name, goneAt !== null])).toEqual([
      ['mail', false],
      ['web', true],
    ]);
    expect((await desk.read(poolId)).hosts.edges.map(({ node }) => node)).toEqual([
      { name: 'alpha', address: '10.0.0.5', goneAt: expect.any(String) },
      { name: 'beta', address: '10.0.0.6', goneAt: null },
    ]);
    await desk.report(poolId, async (pools, key) => await pools.storeInventory(key, inventory()));
    const back = await house.poolVms(house.provider, poolId);
    expect(back.map(({ id, goneAt }) => [id, goneAt])).toEqual(gone.map(({ id }) => [id, null]));
  });

  it('does not replace a pinned certificate by itself, and refuses one that no host has', async () => {
    const poolId = await house.addPool(house.provider, 'Pinned');
    const renewed = 'ef'.repeat(32);
    const changed = {
      ...foundPool(poolId),
      certificates: [{ address: '10.0.0.5', sha256: renewed }],
      presentedSha256: null,
    };
    await desk.report(poolId, async (pools, key) => await pools.storeProbe(key, changed));
    expect((await desk.read(poolId))['pinnedCertificates']).toEqual(FOUND_POOL.certificates);
    const stranger = desk.report(
      poolId,
      async (pools, key) => await pools.storeProbe(key, { ...foundPool(poolId), presentedSha256: renewed }),
    );
    await expect(stranger).rejects.toMatchObject({ code: 'POOL_CERTIFICATE_CHANGED' });
    const accepted = await house.mutate<{ pool: unknown }>(house.provider.token, ACCEPT, {
      poolId,
      certificates: [{ address: '10.0.0.5', sha256: renewed.toUpperCase().replaceAll(/(..)(?=.)/g, '$1:') }],
    });
    expect(accepted.pool).toEqual({
      pinnedCertificates: [{ address: '10.0.0.5', sha256: renewed }, FOUND_POOL.certificates[1]],
    });
    expect(CERTIFICATE).not.toBe(renewed);
  });

  it('says why a pool cannot be used, and tells it once', async () => {
    const poolId = await house.addPool(house.provider, 'Failing');
    const fail = async (code: string): Promise<void> =>
      await desk.report(poolId, async (pools, key) => await pools.markPoolFailed(key, code, `because of ${code}`));
    await fail('POOL_UNREACHABLE');
    await fail('POOL_UNREACHABLE');
    expect(await desk.read(poolId)).toMatchObject({ state: 'UNREACHABLE', stateCode: 'POOL_UNREACHABLE' });
    await fail('POOL_AUTH_FAILED');
    expect(await desk.read(poolId)).toMatchObject({ state: 'REJECTED', stateDetail: 'because of POOL_AUTH_FAILED' });
    const told = await house.api.sql<{ type: string }>(
      `select type from app.event where subject_id = $1 and type in ('pool.unreachable', 'pool.rejected') order by id`,
      [keyOf(poolId).id],
    );
    expect(told.map(({ type }) => type)).toEqual(['pool.unreachable', 'pool.rejected']);
  });
});

describe('where a pool may be', () => {
  it('is on the service’s own machines for the provider’s pools only, whoever uses them', async () => {
    const [providers, customers] = [
      await house.addPool(house.provider, 'Local'),
      await house.addPool(house.acme, 'Far'),
    ];
    const opened = [providers, customers].map(
      async (poolId) => (await desk.report(poolId, async (pools, key) => await pools.openPool(key))).ownMachine,
    );
    expect(await Promise.all(opened)).toEqual([true, false]);
    const [vm] = await house.api.sql<{ id: string }>('select id from app.vm where pool_id = $1 limit 1', [
      keyOf(customers).id,
    ]);
    const { tenantId } = keyOf(house.acme.id);
    const reached = await house.worker.as(AccessService, house.acme.id, async (access) => [
      await access.openVm({ tenantId, vmId: vm?.id ?? '' }),
      await access.openPlacement({
        tenantId,
        target: { poolOwnerId: tenantId, poolId: keyOf(customers).id, poolGrantId: null },
      }),
    ]);
    expect(reached.map(({ pool }) => pool.ownMachine)).toEqual([false, false]);
  });
});

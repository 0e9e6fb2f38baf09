import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AccessService } from '../../src/control/access/access.service.ts';
import { toGlobalId } from '../../src/kernel/global-id.ts';
import { House, keyOf, type Named, type TestTenant, type UserError } from '../control/house.ts';

const ASSIGN = `mutation ($input: AssignVmInput!) { assignVm(input: $input) { vm { id } userErrors { code } } }`;
const GRANT = `mutation ($input: GrantPoolInput!) { grantPool(input: $input) { poolGrant { id } userErrors { code } } }`;
const REVOKE = `mutation ($input: RevokePoolGrantInput!) { revokePoolGrant(input: $input) { poolGrant { id } } }`;
const RESTORE = `mutation ($input: RestoreVmInput!) { restoreVm(input: $input) { job { id } userErrors { code path } } }`;
const PLAN = `mutation ($input: CreateReplicationPlanInput!) { createReplicationPlan(input: $input) {
  replicationPlan { id } userErrors { code path } } }`;

let house: House;
let poolId: string;
let srs: Readonly<Record<string, string>>;
let networks: Readonly<Record<string, string>>;
let vmId: string;
let vaultId: string;
let restorePointId: string;

beforeAll(async () => {
  house = await House.build();
  poolId = await house.addPool(house.provider, 'Shared');
  const parts = await house.parts(house.provider, poolId);
  [srs, networks] = [byName(parts.srs), byName(parts.networks)];
  const [guest] = await house.poolVms(house.provider, poolId);
  const assigned = await house.mutate<{ vm: { id: string } }>(house.provider.token, ASSIGN, {
    poolVmId: guest?.id,
    tenantId: house.acme.id,
  });
  vmId = assigned.vm.id;
  await makeRestorePoint();
});
afterAll(async () => {
  await house.stop();
});

function byName(parts: readonly Named[]): Readonly<Record<string, string>> {
  return Object.fromEntries(parts.map(({ name, id }) => [name, id]));
}

/** Acme's VM has one, in a vault of Acme's. */
async function makeRestorePoint(): Promise<void> {
  const { tenantId } = keyOf(house.acme.id);
  const [vault, point] = [randomUUID(), randomUUID()];
  await house.api.sql(
    `with target as (insert into app.storage_target (tenant_id, name, kind, path) values ($1, 'x', 'DIRECTORY', '/srv/x') returning id)
     insert into app.vault (tenant_id, id, name, storage_target_id, state) select $1, $2, 'x', id, 'READY' from target`,
    [tenantId, vault],
  );
  await house.api.sql(
    `insert into app.restore_point (tenant_id, id, vault_id, vm_id, job_id, vm_name, taken_at, method, consistency, size_bytes, read_bytes, stored_bytes)
     values ($1, $2, $3, $4, uuidv7(), 'web', now(), 'ONLINE', 'CRASH', 1, 1, 1)`,
    [tenantId, point, vault, keyOf(vmId).id],
  );
  vaultId = toGlobalId('Vault', tenantId, vault);
  restorePointId = toGlobalId('RestorePoint', tenantId, point);
}

async function grant(to: TestTenant, pool = poolId): Promise<string> {
  const input = { tenantId: to.id, poolId: pool, name: randomUUID() };
  const places = { storageRepositoryIds: [srs['fast']], networkIds: [networks['lan']] };
  const { poolGrant } = await house.mutate<{ poolGrant: { id: string } }>(house.provider.token, GRANT, {
    ...input,
    ...places,
  });
  return poolGrant.id;
}

type Wish = Readonly<Record<string, unknown>>;

function placement(poolGrantId: string | undefined, changes: Wish = {}): Wish {
  const toLan = { fromNetworkUuid: null, toNetworkId: networks['lan'] };
  return { poolId, poolGrantId, storageRepositoryId: srs['fast'], networks: [toLan], ...changes };
}

/** What becomes of a wish, asked as a restore and as a replication plan: the error's code or words, or null. */
async function answers(wish: Wish): Promise<readonly unknown[]> {
  const asked = [
    [RESTORE, { restorePointId, ...wish }],
    [PLAN, { name: randomUUID(), vmId, vaultId, ...wish }],
  ] as const;
  return await Promise.all(
    asked.map(async ([document, input]) => {
      const { body } = await house.api.graphql(house.acme.token, document, {
        input: { idempotencyKey: randomUUID(), ...input },
      });
      const [payload] = Object.values(body.data ?? {}) as ({ userErrors: UserError[] } | null)[];
      return body.errors?.[0]?.message ?? payload?.userErrors[0] ?? null;
    }),
  );
}

const both = <T>(answer: T): readonly T[] => [answer, answer];
const refused = (field: string): readonly unknown[] => both({ code: 'NO_PLACEMENT_GRANT', path: ['input', field] });

describe('a VM is placed', () => {
  it('where a grant says, and nowhere else of that pool', async () => {
    const poolGrantId = await grant(house.acme);
    expect(await answers(placement(poolGrantId))).toEqual(both(null));
    expect(await answers(placement(poolGrantId, { storageRepositoryId: srs['slow'] }))).toEqual(
      refused('storageRepositoryId'),
    );
    const toDmz = [{ fromNetworkUuid: null, toNetworkId: networks['dmz'] }];
    expect(await answers(placement(poolGrantId, { networks: toDmz }))).toEqual(refused('networks'));
    const lastOfTwo = [{ fromNetworkUuid: randomUUID(), toNetworkId: networks['lan'] }, ...toDmz];
    expect(await answers(placement(poolGrantId, { networks: lastOfTwo }))).toEqual(refused('networks'));
  });

  it('in no pool without a grant, by no grant of another tenant, and by none that was revoked or is another pool’s', async () => {
    expect(await answers(placement(undefined))).toEqual(both('Pool not found.'));
    expect(await answers(placement(await grant(house.zenith)))).toEqual(both('PoolGrant not found.'));
    const revoked = await grant(house.acme);
    await house.mutate(house.provider.token, REVOKE, { poolGrantId: revoked });
    expect(await answers(placement(revoked))).toEqual(refused('poolGrantId'));
    const other = await house.addPool(house.provider, 'Other');
    const parts = await house.parts(house.provider, other);
    const there = { poolId: other, storageRepositoryId: byName(parts.srs)['fast'], networks: [] };
    expect(await answers(placement(await grant(house.acme), there))).toEqual(refused('poolGrantId'));
  });

  it('by no grant that was revoked after the job had begun', async () => {
    const poolGrantId = await grant(house.acme);
    const { tenantId } = keyOf(house.acme.id);
    const pool = keyOf(poolId);
    const target = { poolOwnerId: pool.tenantId, poolId: pool.id, poolGrantId: keyOf(poolGrantId).id };
    const open = async (): Promise<unknown> =>
      await house.worker.as(
        AccessService,
        tenantId,
        async (access) => await access.openPlacement({ tenantId, target }),
      );
    expect(await open()).toMatchObject({ srIds: [keyOf(srs['fast'] ?? '').id] });
    await house.mutate(house.provider.token, REVOKE, { poolGrantId });
    await expect(open()).rejects.toMatchObject({ code: 'NO_PLACEMENT_GRANT' });
  });
});

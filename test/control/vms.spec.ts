import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PoolInventoryService } from '../../src/control/pools/pool-inventory.service.ts';
import { foundVm, inventory } from './found.ts';
import { House, keyOf, type SeenPoolVm, type TestTenant, type UserError } from './house.ts';

const ASSIGN = `mutation ($input: AssignVmInput!) { assignVm(input: $input) {
  vm { id tenantId poolId name releasedAt disks { key position sizeBytes } } userErrors { code path } } }`;
const UNASSIGN = `mutation ($input: UnassignVmInput!) { unassignVm(input: $input) {
  vm { id tenantId poolId name } userErrors { code path } } }`;
const VM = `query ($id: ID!) { vm(id: $id) { id name powerState memoryBytes goneAt releasedAt } }`;
const VMS = `query ($tenantId: ID, $includePast: Boolean) { vms(first: 50, tenantId: $tenantId, includePast: $includePast) {
  edges { node { id name } } } }`;

interface Assigned {
  readonly vm: { readonly id: string } & Record<string, unknown>;
  readonly userErrors: readonly UserError[];
}

let house: House;
let poolId: string;
let web: SeenPoolVm;
beforeAll(async () => {
  house = await House.build();
});
afterAll(async () => {
  await house.stop();
});
beforeEach(async () => {
  poolId = await house.addPool(house.provider, 'Shared');
  web = await find('web');
});

async function find(name: string): Promise<SeenPoolVm> {
  const guests = await house.poolVms(house.provider, poolId);
  const guest = guests.find((one) => one.name === name);
  if (guest === undefined) {
    throw new Error(`no guest ${name}`);
  }
  return guest;
}

async function assign(to: TestTenant, idempotencyKey = `${web.id} to ${to.id}`): Promise<Assigned> {
  return await house.mutate(house.provider.token, ASSIGN, { poolVmId: web.id, tenantId: to.id, idempotencyKey });
}

async function vmIds(tenant: TestTenant, includePast = false): Promise<string[]> {
  const { vms } = await house.api.data<{ vms: { edges: { node: { id: string } }[] } }>(tenant.token, VMS, {
    includePast,
  });
  return vms.edges.map(({ node }) => node.id);
}

describe('VMs of a shared pool', () => {
  it("belong to the pool's owner until they are assigned", async () => {
    expect(web).toMatchObject({ assignedTenantId: house.provider.id, vmId: expect.stringMatching(/^vm_/) });
    expect(await vmIds(house.provider)).toContain(web.vmId);
    expect(await vmIds(house.acme)).toEqual([]);
  });

  it('get a new id with each tenant; the old row stays, released', async () => {
    const first = await assign(house.acme);
    expect(first).toEqual({
      vm: {
        id: expect.stringMatching(/^vm_/),
        tenantId: house.acme.id,
        poolId: null,
        name: 'web',
        releasedAt: null,
        disks: [
          { key: 'vdi-0', position: '0', sizeBytes: String(2 ** 30) },
          { key: 'vdi-2', position: '2', sizeBytes: String(2 ** 31) },
          { key: 'vdi-10', position: '10', sizeBytes: String(3 * 2 ** 30) },
        ],
      },
      userErrors: [],
    });
    expect(await assign(house.acme)).toEqual(first);
    expect(await find('web')).toMatchObject({ assignedTenantId: house.acme.id, vmId: first.vm.id });
    expect(await vmIds(house.provider)).not.toContain(web.vmId);
    expect(await vmIds(house.provider, true)).toContain(web.vmId);

    const second = await assign(house.zenith);
    expect(second.vm.id).not.toBe(first.vm.id);
    expect(await vmIds(house.acme)).not.toContain(first.vm.id);
    const released = await house.api.data(house.acme.token, VM, { id: first.vm.id });
    expect(released).toMatchObject({ vm: { releasedAt: expect.any(String) } });
    const told = await house.api.sql<{ type: string; tenant_id: string }>(
      `select type, tenant_id from app.event where type in ('vm.assigned', 'vm.released') and subject_id = any ($1) order by id`,
      [[keyOf(first.vm.id).id, keyOf(second.vm.id).id]],
    );
    expect(told).toEqual([
      { type: 'vm.assigned', tenant_id: keyOf(house.acme.id).id },
      { type: 'vm.released', tenant_id: keyOf(house.acme.id).id },
      { type: 'vm.assigned', tenant_id: keyOf(house.zenith.id).id },
    ]);
  });

  it('come back to the owner, and stay where they are when assigned to whoever has them', async () => {
    await assign(house.acme);
    const back = await house.mutate<Assigned>(house.provider.token, UNASSIGN, { poolVmId: web.id });
    expect(back).toMatchObject({ vm: { tenantId: house.provider.id, poolId }, userErrors: [] });
    expect(back.vm.id).not.toBe(web.vmId);
    const again = await assign(house.provider, 'again');
    expect(again.vm.id).toBe(back.vm.id);
  });

  it('do not change hands while a backup of them is under way', async () => {
    const { vm } = await assign(house.acme);
    await house.api.sql(
      `insert into app.job (tenant_id, kind, vm_id, input, actor_tenant_id, actor)
       values ($1, 'BACKUP', $2, '{}', $1, 'system:test')`,
      [keyOf(house.acme.id).id, keyOf(vm.id).id],
    );
    const refused = await assign(house.zenith);
    expect(refused).toEqual({ vm: null, userErrors: [{ code: 'VM_BUSY', path: ['input', 'poolVmId'] }] });
    await house.endJobs(house.acme);
    expect((await assign(house.zenith, 'later')).userErrors).toEqual([]);
  });

  it('are assigned by the owner only, and only downwards', async () => {
    const input = { poolVmId: web.id, tenantId: house.acme.id, idempotencyKey: 'x' };
    const byCustomer = await house.api.graphql(house.acme.token, ASSIGN, { input });
    expect(byCustomer.body.errors?.[0]?.message).toBe('PoolVm not found.');
    const mine = await house.addPool(house.acme, 'Own');
    const guest = (await house.poolVms(house.acme, mine))[0];
    const upwards = { poolVmId: guest?.id, tenantId: house.provider.id, idempotencyKey: 'up' };
    const up = await house.api.graphql(house.provider.token, ASSIGN, { input: upwards });
    expect(up.body.errors?.[0]?.message).toBe('Tenant not found.');
    const sideways = await house.api.graphql(house.provider.token, ASSIGN, {
      input: { ...upwards, tenantId: house.zenith.id },
    });
    expect(sideways.body.errors?.[0]?.message).toBe('Tenant not found.');
  });

  it('that are gone are not assigned, and are marked for their tenant', async () => {
    const { vm } = await assign(house.acme);
    const { tenantId, id } = keyOf(poolId);
    const renamed = inventory([{ ...foundVm('vm-2', 'mail'), powerState: 'Halted' }]);
    await house.worker.as(PoolInventoryService, tenantId, async (pools) => {
      await pools.storeInventory({ tenantId, poolId: id }, renamed);
    });
    expect(await house.api.data(house.acme.token, VM, { id: vm.id })).toMatchObject({
      vm: { goneAt: expect.any(String), releasedAt: null },
    });
    expect(await vmIds(house.acme)).not.toContain(vm.id);
    const refused = await assign(house.zenith);
    expect(refused).toEqual({ vm: null, userErrors: [{ code: 'VM_GONE', path: ['input', 'poolVmId'] }] });
  });

  it('are assigned over REST as well', async () => {
    const made = await house.api.rest(house.provider.token, 'PUT', `/v1/pool-vms/${web.id}/assignment`, {
      body: { tenantId: house.acme.id },
      headers: { 'idempotency-key': `rest ${web.id}` },
    });
    expect(made).toMatchObject({ status: 200, body: { tenantId: house.acme.id, poolId: null } });
    const { id } = made.body as { readonly id: string };
    expect(await house.api.rest(house.acme.token, 'GET', `/v1/vms/${id}`)).toMatchObject({
      status: 200,
      body: made.body,
    });
    const listed = await house.api.rest(house.acme.token, 'GET', '/v1/vms');
    expect(listed.body).toMatchObject({ items: expect.arrayContaining([made.body]) });
    const seen = await house.api.rest(house.provider.token, 'GET', `/v1/pools/${poolId}/vms`);
    expect(seen.body).toMatchObject({ items: [{ name: 'mail' }, { name: 'web', vmId: id }] });
  });
});

import { mkdir } from 'node:fs/promises';
import type { SimulatedVm } from '../clients/simulator.ts';
import type { Account } from '../story.ts';
import type { Customer, Placement, World } from '../world.ts';
import type { RegisteredPool } from './register-pools.ts';
import { storageIn } from './vault-on-disk.ts';
import { waitForJob } from './wait-for-job.ts';

export interface HandedOver {
  readonly vmId: string;
  readonly vaultId: string;
  readonly alpha: Placement;
  readonly beta: Placement;
}

const POOL_VMS = `query ($id: ID!) { pool(id: $id) { poolVms(first: 100) { edges { node { id xenUuid } } } } }`;
const PLACEMENTS = `{ placements { poolId poolName poolGrantId
  storageRepositories { id name } networks { id name } } }`;

/** The customer gets its VM, the right to restore into both pools, and storage for a vault, which it makes itself. */
export async function handOver(
  world: World,
  given: {
    readonly pools: ReadonlyMap<string, RegisteredPool>;
    readonly customer: Customer;
    readonly guest: SimulatedVm;
  },
  account: Account,
): Promise<HandedOver> {
  const { customer, pools, guest } = given;
  const alpha = find(pools, 'alpha');
  const vmId = await assignVm(world, { alpha, customer, guest });
  for (const pool of [alpha, find(pools, 'beta')]) {
    await grantPool(world, pool, customer);
  }
  const vaultId = await makeVault(world, customer);
  const { placements } = await customer.api.query<{ placements: readonly Placement[] }>(PLACEMENTS);
  const places = new Map(placements.map((one) => [one.poolName, one]));
  account.detail = 'Acme has its VM, may restore into both pools, and made an encrypted vault on granted storage';
  return { vmId, vaultId, alpha: find(places, 'alpha'), beta: find(places, 'beta') };
}

async function assignVm(
  { provider }: World,
  { alpha, customer, guest }: { alpha: RegisteredPool; customer: Customer; guest: SimulatedVm },
): Promise<string> {
  const { pool } = await provider.query<{
    pool: { poolVms: { edges: readonly { node: { id: string; xenUuid: string } }[] } };
  }>(POOL_VMS, { id: alpha.id });
  const found = pool.poolVms.edges.find(({ node }) => node.xenUuid === guest.uuid);
  if (found === undefined) {
    throw new Error(`the inventory of ${alpha.name} lacks ${guest.name}`);
  }
  const input = { poolVmId: found.node.id, tenantId: customer.tenantId };
  const { vm } = await provider.mutate<{ vm: { id: string } }>('assignVm', 'vm { id }', input);
  return vm.id;
}

async function grantPool({ provider }: World, pool: RegisteredPool, { tenantId }: Customer): Promise<void> {
  await provider.mutate('grantPool', 'poolGrant { id }', {
    tenantId,
    poolId: pool.id,
    name: `Restore into ${pool.name}`,
    storageRepositoryIds: pool.storageRepositories.slice(0, 1).map(({ id }) => id),
    networkIds: pool.networks.map(({ id }) => id),
  });
}

async function makeVault({ provider, folder, teller }: World, { tenantId, api }: Customer): Promise<string> {
  const path = storageIn(folder);
  await mkdir(path);
  const { storageTarget } = await provider.mutate<{ storageTarget: { id: string } }>(
    'createStorageTarget',
    'storageTarget { id }',
    { name: 'Shelf 1', kind: 'DIRECTORY', path },
  );
  const { storageGrant } = await provider.mutate<{ storageGrant: { id: string } }>(
    'grantStorage',
    'storageGrant { id }',
    { tenantId, storageTargetId: storageTarget.id, name: 'Backup storage' },
  );
  const made = await api.mutate<{ vault: { id: string }; job: { id: string } }>(
    'createVault',
    'vault { id } job { id }',
    { name: 'Main', storageGrantId: storageGrant.id },
  );
  await waitForJob(api, made.job.id, teller);
  return made.vault.id;
}

function find<T>(all: ReadonlyMap<string, T>, name: string): T {
  const one = all.get(name);
  if (one === undefined) {
    throw new Error(`there is no ${name}`);
  }
  return one;
}

import type { SimulatedPool } from '../clients/simulator.ts';
import type { Account } from '../story.ts';
import type { Place, World } from '../world.ts';
import { waitForJob } from './wait-for-job.ts';

export interface RegisteredPool {
  readonly id: string;
  readonly name: string;
  readonly storageRepositories: readonly Place[];
  readonly networks: readonly Place[];
}

interface Edges<T> {
  readonly edges: readonly { readonly node: T }[];
}

const POOL = `query ($id: ID!) { pool(id: $id) { id name state xenVersion capabilities { nbd changedBlocksLicensed }
  storageRepositories(first: 100) { edges { node { id name shared } } }
  networks(first: 100) { edges { node { id name } } } } }`;

interface SeenPool {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly xenVersion: string;
  readonly capabilities: { readonly nbd: string; readonly changedBlocksLicensed: boolean };
  readonly storageRepositories: Edges<Place & { readonly shared: boolean }>;
  readonly networks: Edges<Place>;
}

/** The provider registers both pools; a job each pins certificates, finds out what they can do and reads the inventory. */
export async function registerPools(world: World, account: Account): Promise<ReadonlyMap<string, RegisteredPool>> {
  const { provider, simulator } = world;
  const { site } = await provider.mutate<{ site: { id: string } }>('createSite', 'site { id }', { name: 'Frankfurt' });
  const registered = new Map<string, RegisteredPool>();
  for (const pool of simulator.ready.pools) {
    registered.set(pool.name, await registerPool(world, site.id, pool));
  }
  account.detail = `${[...registered.keys()].join(' and ')} are connected, certificates pinned, inventory read`;
  return registered;
}

async function registerPool(world: World, siteId: string, pool: SimulatedPool): Promise<RegisteredPool> {
  const { provider, teller } = world;
  const { name, url, username, password } = pool;
  const made = await provider.mutate<{ pool: { id: string }; job: { id: string } }>(
    'registerPool',
    'pool { id } job { id }',
    { siteId, name, url, username, password },
  );
  await waitForJob(provider, made.job.id, teller);
  const { pool: seen } = await provider.query<{ pool: SeenPool }>(POOL, { id: made.pool.id });
  const { nbd, changedBlocksLicensed } = seen.capabilities;
  teller.say(`${seen.name}: ${seen.xenVersion}, NBD ${nbd}, changed blocks ${changedBlocksLicensed ? 'yes' : 'no'}`);
  return {
    id: seen.id,
    name: seen.name,
    // Shared storage first: what is put there can run on any host.
    storageRepositories: nodes(seen.storageRepositories).toSorted((a, b) => Number(b.shared) - Number(a.shared)),
    networks: nodes(seen.networks),
  };
}

function nodes<T>({ edges }: Edges<T>): T[] {
  return edges.map(({ node }) => node);
}

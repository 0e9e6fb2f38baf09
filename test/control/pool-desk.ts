import { PoolInventoryService } from '../../src/control/pools/pool-inventory.service.ts';
import { keyOf, type House } from './house.ts';

export const POOL = `query ($id: ID!) { pool(id: $id) { id name url state stateCode stateDetail xenUuid xenVersion inventoryAt
  capabilities { changedBlocksLicensed nbd checkpointLicensed } pinnedCertificates { address sha256 }
  hosts(first: 10) { edges { node { name address goneAt } } } } }`;

interface SeenPool {
  readonly pool: Record<string, unknown> & {
    readonly hosts: { readonly edges: readonly { readonly node: { readonly name: string } }[] };
  };
}
type PoolKey = Parameters<PoolInventoryService['locatePool']>[0];

/** Where tests ask about the provider's pools, as the portal does, and report on them, as a worker does. */
export class PoolDesk {
  readonly #house: House;
  readonly #registrations = new Map<string, Record<string, unknown>>();

  constructor(house: House) {
    this.#house = house;
  }

  /** What registers a pool at an address of its own: the same for the same key. */
  async registration(key: string): Promise<Record<string, unknown>> {
    const known = this.#registrations.get(key);
    const siteId = known?.['siteId'] ?? (await this.#house.addSite(this.#house.provider));
    const input = {
      siteId,
      name: key,
      url: known?.['url'] ?? `10.0.0.5:${8443 + this.#registrations.size}`,
      username: 'root',
      password: 'correct horse',
      idempotencyKey: key,
    };
    this.#registrations.set(key, input);
    return input;
  }

  async report<T>(poolId: string, work: (pools: PoolInventoryService, key: PoolKey) => Promise<T>): Promise<T> {
    const { tenantId, id } = keyOf(poolId);
    return await this.#house.worker.as(
      PoolInventoryService,
      tenantId,
      async (pools) => await work(pools, { tenantId, poolId: id }),
    );
  }

  async read(id: string): Promise<SeenPool['pool']> {
    return (await this.#house.api.data<SeenPool>(this.#house.provider.token, POOL, { id })).pool;
  }
}

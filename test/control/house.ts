import { randomUUID } from 'node:crypto';
import { parseGlobalId } from '../../src/kernel/global-id.ts';
import { PoolInventoryService } from '../../src/control/pools/pool-inventory.service.ts';
import { AccessService } from '../../src/control/access/access.service.ts';
import { TestApi } from '../support/test-api.ts';
import { foundPool, inventory } from './found.ts';
import { TestWorker } from './test-worker.ts';

export interface TestTenant {
  readonly id: string;
  readonly token: string;
}

export interface UserError {
  readonly code: string;
  readonly path: readonly string[] | null;
}

interface Edges<T> {
  readonly edges: readonly { readonly node: T }[];
}

export interface Named {
  readonly id: string;
  readonly name: string;
}

export interface SeenPoolVm extends Named {
  readonly xenUuid: string;
  readonly assignedTenantId: string | null;
  readonly vmId: string | null;
  readonly goneAt: string | null;
}

const TENANT = `mutation ($input: CreateTenantInput!) { createTenant(input: $input) { tenant { id } } }`;
const TOKEN = `mutation ($input: CreateTokenInput!) { createToken(input: $input) { secret } }`;
const SITE = `mutation ($input: CreateSiteInput!) { createSite(input: $input) { site { id } } }`;
const REGISTER = `mutation ($input: RegisterPoolInput!) { registerPool(input: $input) {
  pool { id state } job { id kind state poolId } userErrors { code path } } }`;
const POOL_VMS = `query ($id: ID!) { pool(id: $id) { poolVms(first: 50, includeGone: true) { edges { node {
  id name xenUuid assignedTenantId vmId goneAt } } } } }`;
const PARTS = `query ($id: ID!) { pool(id: $id) {
  storageRepositories(first: 50) { edges { node { id name } } } networks(first: 50) { edges { node { id name } } } } }`;
const TARGET = `mutation ($input: CreateStorageTargetInput!) { createStorageTarget(input: $input) {
  storageTarget { id } userErrors { code path } } }`;

/** A provider with two customers, and a worker beside the API. */
export class House {
  #pools = 0;

  private constructor(
    readonly api: TestApi,
    readonly worker: TestWorker,
    readonly provider: TestTenant,
    readonly acme: TestTenant,
    readonly zenith: TestTenant,
  ) {}

  static async build(): Promise<House> {
    const api = await TestApi.start();
    const worker = await TestWorker.start(api);
    const { token } = api.administrator;
    const { viewer } = await api.data<{ viewer: { tenantId: string } }>(token, '{ viewer { tenantId } }');
    const [acme, zenith] = [await addCustomer(api, 'Acme'), await addCustomer(api, 'Zenith')];
    return new House(api, worker, { id: viewer.tenantId, token }, acme, zenith);
  }

  async stop(): Promise<void> {
    await this.worker.stop();
    await this.api.stop();
  }

  /** One mutation's payload. */
  async mutate<T>(token: string, document: string, input: Record<string, unknown>): Promise<T> {
    const data = await this.api.data<Record<string, T>>(token, document, {
      input: { idempotencyKey: randomUUID(), ...input },
    });
    const [payload] = Object.values(data);
    if (payload === undefined) {
      throw new Error('the mutation gave nothing');
    }
    return payload;
  }

  async addSite(owner: TestTenant): Promise<string> {
    const { site } = await this.mutate<{ site: { id: string } }>(owner.token, SITE, { name: `Site ${randomUUID()}` });
    return site.id;
  }

  /** A registered pool with its inventory. */
  async addPool(owner: TestTenant, name = 'Rack 1'): Promise<string> {
    const poolId = await this.registerPool(owner, name);
    const { id } = keyOf(poolId);
    await this.worker.as(PoolInventoryService, owner.id, async (pools) => {
      await pools.storeProbe({ tenantId: keyOf(poolId).tenantId, poolId: id }, foundPool(poolId));
      await pools.storeInventory({ tenantId: keyOf(poolId).tenantId, poolId: id }, inventory());
    });
    await this.endJobs(owner);
    return poolId;
  }

  async registerPool(owner: TestTenant, name: string): Promise<string> {
    const siteId = await this.addSite(owner);
    this.#pools += 1;
    const url = this.#pools === 1 ? '10.0.0.5' : `10.0.0.5:${8000 + this.#pools}`;
    const given = { siteId, name, url, username: 'holdfast', password: 'correct horse' };
    const { pool } = await this.mutate<{ pool: { id: string } }>(owner.token, REGISTER, given);
    return pool.id;
  }

  /** No worker runs here: the rows of jobs are ended by hand. */
  async endJobs(owner: TestTenant): Promise<void> {
    await this.api.sql(
      `update app.job set state = 'SUCCEEDED', finished_at = now() where finished_at is null and tenant_id = $1`,
      [keyOf(owner.id).tenantId],
    );
  }

  async poolVms(owner: TestTenant, poolId: string): Promise<readonly SeenPoolVm[]> {
    const { pool } = await this.api.data<{ pool: { poolVms: Edges<SeenPoolVm> } }>(owner.token, POOL_VMS, {
      id: poolId,
    });
    return pool.poolVms.edges.map(({ node }) => node);
  }

  async parts(
    owner: TestTenant,
    poolId: string,
  ): Promise<{ readonly srs: readonly Named[]; readonly networks: readonly Named[] }> {
    const { pool } = await this.api.data<{ pool: { storageRepositories: Edges<Named>; networks: Edges<Named> } }>(
      owner.token,
      PARTS,
      { id: poolId },
    );
    return {
      srs: pool.storageRepositories.edges.map(({ node }) => node),
      networks: pool.networks.edges.map(({ node }) => node),
    };
  }

  async addStorageTarget(owner: TestTenant): Promise<string> {
    const { storageTarget } = await this.mutate<{ storageTarget: { id: string } }>(owner.token, TARGET, {
      name: `Storage ${randomUUID()}`,
      kind: 'DIRECTORY',
      path: '/srv/backups',
    });
    return storageTarget.id;
  }

  /** As an activity that opens the vault does. */
  async openVault(owner: TestTenant, vaultId: string): Promise<string> {
    const { tenantId, id } = keyOf(vaultId);
    const { location } = await this.worker.as(
      AccessService,
      owner.id,
      async (access) => await access.openVault({ tenantId, vaultId: id }),
    );
    return location.path;
  }
}

export function keyOf(globalId: string): { readonly tenantId: string; readonly id: string } {
  const key = parseGlobalId(globalId);
  if (key === null) {
    throw new Error(`${globalId} is no global id`);
  }
  return key;
}

async function addCustomer(api: TestApi, name: string): Promise<TestTenant> {
  const { token } = api.administrator;
  const made = await api.data<{ createTenant: { tenant: { id: string } } }>(token, TENANT, {
    input: { kind: 'CUSTOMER', name, idempotencyKey: name },
  });
  const { id } = made.createTenant.tenant;
  const { createToken } = await api.data<{ createToken: { secret: string } }>(token, TOKEN, {
    input: { tenantId: id, name, scopes: ['ADMIN'], idempotencyKey: name },
  });
  return { id, token: createToken.secret };
}

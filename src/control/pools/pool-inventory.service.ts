import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ERROR_CODES, type ErrorCode } from '../../kernel/error-codes.ts';
import type { NodeKey } from '../../kernel/global-id.ts';
import { onConstraint } from '../../platform/database/sql-state.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { EventWriter } from '../../platform/mutations/event-writer.ts';
import { isProvider } from '../tenants/tenant-tree.service.ts';
import type { FoundCertificate, FoundInventory, FoundPool } from './found-pool.ts';
import { PoolRow, type PoolState } from './pool.entity.ts';
import { poolAlreadyRegistered, poolRegisteredBelow, registeredMeanwhile, strangeCertificate } from './pool.errors.ts';
import { PoolPasswords } from './pool-passwords.ts';
import { findTwin, getPoolRow } from './pool-rows.ts';
import { followVms, type InventoryCounts, storeInventory } from './store-inventory.ts';

export interface PoolKey {
  readonly tenantId: string;
  readonly poolId: string;
}

/** How a worker reaches a pool. Secret: it never leaves the attempt that asked for it. */
export interface OpenedPool {
  readonly siteId: string;
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** Empty until the first contact. */
  readonly certificates: readonly FoundCertificate[];
  /** Whether it may be on the service's own machines: the provider's pools only. */
  readonly ownMachine: boolean;
}

/** What a worker asks and reports about a pool of the tenant it acts for. */
@Injectable()
export class PoolInventoryService {
  constructor(
    private readonly db: TenantDb,
    private readonly events: EventWriter,
    private readonly passwords: PoolPasswords,
  ) {}

  async locatePool({ tenantId, poolId }: PoolKey): Promise<{ readonly siteId: string }> {
    const { siteId } = await this.db.run(async (em) => await getPoolRow(em, { tenantId, id: poolId }));
    return { siteId };
  }

  async openPool({ tenantId, poolId }: PoolKey): Promise<OpenedPool> {
    return await this.db.run(async (em) => {
      const row = await getPoolRow(em, { tenantId, id: poolId });
      return {
        siteId: row.siteId,
        url: row.url,
        username: row.username,
        password: await this.passwords.read(em, row),
        certificates: Object.entries(row.pinnedCertificates).map(([address, sha256]) => ({ address, sha256 })),
        ownMachine: await isProvider(em, row.tenantId),
      };
    });
  }

  /**
   * Keeps what the pool is and can do. Hosts that are new are pinned as the pool names them; a host that is pinned stays
   * so until somebody accepts another certificate. POOL_CERTIFICATE_CHANGED where we were not talking to any of them,
   * POOL_ALREADY_REGISTERED where the tenant, or one below it, has the same pool already.
   */
  async storeProbe({ tenantId, poolId }: PoolKey, found: FoundPool): Promise<void> {
    await this.db.run(async (em) => {
      const row = await lockPool(em, { tenantId, id: poolId });
      const reported = Object.fromEntries(found.certificates.map(({ address, sha256 }) => [address, sha256]));
      const pinnedCertificates = { ...reported, ...row.pinnedCertificates };
      const shown = found.presentedSha256;
      if (shown !== null && !Object.values(pinnedCertificates).includes(shown)) {
        throw strangeCertificate(shown);
      }
      await requireUnregistered(em, row, found.uuid);
      const keep = em.update(
        PoolRow,
        { tenantId: row.tenantId, id: row.id },
        {
          xenUuid: found.uuid,
          xenVersion: `${found.productBrand} ${found.productVersion}`.trim(),
          pinnedCertificates,
          capabilities: found.capabilities,
          updatedAt: new Date(),
        },
      );
      await keep.catch(onConstraint({ pool_xen_uuid: registeredMeanwhile, pool_xen_uuid_below: poolRegisteredBelow }));
    });
  }

  /** Brings the catalogue to what the pool has now; the tenants' VMs follow. What is gone is marked, not deleted. */
  async storeInventory({ tenantId, poolId }: PoolKey, found: FoundInventory): Promise<InventoryCounts> {
    return await this.db.run(async (em) => {
      const row = await lockPool(em, { tenantId, id: poolId });
      const counts = await storeInventory(em, row, found);
      await followVms(em, row);
      await this.#settle(em, row, { state: 'CONNECTED', code: null, detail: null });
      await em.update(PoolRow, { tenantId: row.tenantId, id: row.id }, { inventoryAt: new Date() });
      await this.events.write(em, { type: 'pool.inventoried', subject: nodeOf(row), data: { ...counts } });
      return counts;
    });
  }

  /** Says on the pool's row why it can't be used. A pool that was deleted meanwhile is none any more. */
  async markPoolFailed({ tenantId, poolId }: PoolKey, code: string, message: string): Promise<void> {
    await this.db.run(async (em) => {
      const row = await em.findOneBy(PoolRow, {
        tenantId: tenantId as PoolRow['tenantId'],
        id: poolId as PoolRow['id'],
      });
      if (row !== null) {
        const away = code in ERROR_CODES && ERROR_CODES[code as ErrorCode].kind === 'unavailable';
        await this.#settle(em, row, { state: away ? 'UNREACHABLE' : 'REJECTED', code, detail: message });
      }
    });
  }

  /** An event only where the state changes: a pool that stays away is told once. */
  async #settle(
    em: EntityManager,
    row: PoolRow,
    { state, code, detail }: { state: PoolState; code: string | null; detail: string | null },
  ): Promise<void> {
    await em.update(
      PoolRow,
      { tenantId: row.tenantId, id: row.id },
      { state, stateCode: code, stateDetail: detail, updatedAt: new Date() },
    );
    if (row.state !== state || row.stateCode !== code) {
      const data = { name: row.name, state, code };
      await this.events.write(em, { type: `pool.${state.toLowerCase()}`, subject: nodeOf(row), data });
    }
  }
}

/** Inventories of one pool go one after the other, and none runs beside the pool's deletion. */
async function lockPool(em: EntityManager, key: Pick<NodeKey, 'tenantId' | 'id'>): Promise<PoolRow> {
  await em.query('select from app.pool where tenant_id = $1 and id = $2 for update', [key.tenantId, key.id]);
  return await getPoolRow(em, key);
}

async function requireUnregistered(em: EntityManager, row: PoolRow, xenUuid: string): Promise<void> {
  if (row.xenUuid === xenUuid) {
    return;
  }
  const twin = await findTwin(em, row, { xenUuid });
  if (twin !== null) {
    throw poolAlreadyRegistered(twin);
  }
}

function nodeOf({ tenantId, id }: PoolRow): NodeKey {
  return { type: 'Pool', tenantId, id };
}

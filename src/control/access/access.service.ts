import { posix } from 'node:path';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AppError } from '../../kernel/errors.ts';
import { toId, type PoolId, type TenantId } from '../../kernel/ids.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import type { PoolTarget } from '../../../workflows/contract/index.ts';
import { PoolPasswords } from '../pools/pool-passwords.ts';

/** How a mover reaches a pool, for one attempt. Secret: it never leaves the attempt that asked for it. */
export interface PoolAccess {
  readonly address: string;
  readonly username: string;
  readonly password: string;
  readonly certificates: readonly { readonly hostUuid: null; readonly address: string; readonly sha256: string }[];
  /** Whether it may be on the service's own machines: the provider's pools only. */
  readonly ownMachine: boolean;
}

export interface VmAccess {
  readonly siteId: string;
  readonly vmUuid: string;
  readonly pool: PoolAccess;
}

export interface PlacementAccess {
  readonly siteId: string;
  readonly pool: PoolAccess;
  /** What may be used there: ids of storage repositories and networks. */
  readonly srIds: readonly string[];
  readonly networkIds: readonly string[];
}

export interface VaultAccess {
  readonly tenantId: string;
  readonly vaultId: string;
  readonly location: { readonly kind: 'directory'; readonly path: string };
}

/** Its tenant may not use it any more. */
export type ClosedVault = Pick<VaultAccess, 'tenantId' | 'vaultId'> & { readonly location: null };

type VaultKey = Pick<VaultAccess, 'tenantId' | 'vaultId'>;

interface PoolColumns {
  readonly pool_owner_id: string;
  readonly pool_id: string;
  readonly site_id: string;
  readonly url: string;
  readonly username: string;
  readonly sealed_password: Buffer;
  readonly pinned_certificates: Readonly<Record<string, string>>;
  readonly own_machine: boolean;
}

/**
 * Turns ids into addresses and credentials, for a worker acting as the tenant and for one attempt at a time. Grants and
 * assignments are checked on every call, by the database's own functions.
 */
@Injectable()
export class AccessService {
  constructor(
    private readonly db: TenantDb,
    private readonly passwords: PoolPasswords,
  ) {}

  /** Where the tenant's VM is now. VM_GONE where it was released or its pool forgotten. */
  async openVm({ tenantId, vmId }: { readonly tenantId: string; readonly vmId: string }): Promise<VmAccess> {
    const row = await this.#one<PoolColumns & { readonly vm_xen_uuid: string }>(
      'select *, app.is_provider(pool_owner_id) as own_machine from app.resolve_vm($1, $2)',
      [tenantId, vmId],
    );
    if (row === undefined) {
      throw new AppError('VM_GONE', 'The VM was assigned to another tenant, or its pool was removed.');
    }
    return { siteId: row.site_id, vmUuid: row.vm_xen_uuid, pool: this.#poolOf(row) };
  }

  /** A pool that the tenant owns or holds a grant for; NO_PLACEMENT_GRANT otherwise. */
  async openPlacement({
    tenantId,
    target,
  }: {
    readonly tenantId: string;
    readonly target: PoolTarget;
  }): Promise<PlacementAccess> {
    const row = await this.#one<PoolColumns & { readonly sr_ids: string[]; readonly network_ids: string[] }>(
      'select *, app.is_provider(pool_owner_id) as own_machine from app.resolve_placement($1, $2, $3, $4)',
      [tenantId, target.poolOwnerId, target.poolId, target.poolGrantId],
    );
    if (row === undefined) {
      throw new AppError('NO_PLACEMENT_GRANT', 'There is no right (any more) to place VMs in that pool.');
    }
    return { siteId: row.site_id, pool: this.#poolOf(row), srIds: row.sr_ids, networkIds: row.network_ids };
  }

  /** Where the tenant's vault lies; NO_STORAGE_GRANT where its grant was revoked. */
  async openVault(key: VaultKey): Promise<VaultAccess> {
    const vault = await this.openVaultIfAllowed(key);
    if (vault.location === null) {
      throw new AppError('NO_STORAGE_GRANT', 'There is no right (any more) to the storage that the vault is on.');
    }
    return { ...vault, location: vault.location };
  }

  /** The same for what goes on without it: `location` is null where the grant was revoked, which is for good. */
  async openVaultIfAllowed({ tenantId, vaultId }: VaultKey): Promise<VaultAccess | ClosedVault> {
    const row = await this.#one<{ readonly path: string }>('select path from app.resolve_vault($1, $2)', [
      tenantId,
      vaultId,
    ]);
    const location = row === undefined ? null : { kind: 'directory' as const, path: posix.join(row.path, vaultId) };
    return location === null ? { tenantId, vaultId, location } : { tenantId, vaultId, location };
  }

  async #one<Row>(text: string, values: readonly (string | null)[]): Promise<Row | undefined> {
    return await this.db.run(async (em: EntityManager) => {
      const rows: Row[] = await em.query(text, [...values]);
      return rows[0];
    });
  }

  #poolOf(row: PoolColumns): PoolAccess {
    const { pool_owner_id, pool_id, url, username, sealed_password, pinned_certificates, own_machine } = row;
    const pool = { tenantId: toId<TenantId>(pool_owner_id), id: toId<PoolId>(pool_id) };
    return {
      address: url,
      username,
      password: this.passwords.open(pool, sealed_password),
      certificates: Object.entries(pinned_certificates).map(([address, sha256]) => ({
        hostUuid: null,
        address,
        sha256,
      })),
      ownMachine: own_machine,
    };
  }
}

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { NodeKey } from '../../kernel/global-id.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { EventWriter } from '../../platform/mutations/event-writer.ts';
import { VaultRow, type VaultState } from './vault.entity.ts';
import { noStorageBehind } from './vault.errors.ts';
import { getVaultRow } from './vault-rows.ts';

export interface VaultKey {
  readonly tenantId: string;
  readonly vaultId: string;
}

/** Where a vault's bytes are, as the movers see it. */
export interface VaultPlace {
  readonly kind: 'directory';
  /** Absolute path of the storage target; the vault's own folder is below it. */
  readonly path: string;
  /** Bytes that all vaults under the same grant may hold together; null without limit. */
  readonly quotaBytes: bigint | null;
}

/** What a worker asks and reports about a vault of the tenant it acts for. */
@Injectable()
export class VaultWorkService {
  constructor(
    private readonly db: TenantDb,
    private readonly events: EventWriter,
  ) {}

  /** The grant is checked here, on every use: NO_STORAGE_GRANT where it was revoked. */
  async locateVault({ tenantId, vaultId }: VaultKey): Promise<VaultPlace> {
    return await this.db.run(async (em) => {
      await getVaultRow(em, { tenantId, id: vaultId });
      const rows: { path: string; quota_bytes: string | null }[] = await em.query(
        'select path, quota_bytes from app.resolve_vault($1, $2)',
        [tenantId, vaultId],
      );
      const place = rows[0];
      if (place === undefined) {
        throw noStorageBehind(vaultId);
      }
      const quotaBytes = place.quota_bytes === null ? null : BigInt(place.quota_bytes);
      return { kind: 'directory', path: place.path, quotaBytes };
    });
  }

  async markVaultReady(key: VaultKey): Promise<void> {
    await this.#settle(key, 'READY', null, null);
  }

  /** Says on the vault's row why it can't be used. */
  async markVaultFailed(key: VaultKey, code: string, message: string): Promise<void> {
    await this.#settle(key, 'UNAVAILABLE', code, message);
  }

  /** Bytes on the storage after a job; exact, because packs belong to one tenant. In the caller's transaction. */
  async setStoredBytes(em: EntityManager, { tenantId, vaultId }: VaultKey, storedBytes: bigint): Promise<void> {
    const row = await getVaultRow(em, { tenantId, id: vaultId });
    await em.update(
      VaultRow,
      { tenantId: row.tenantId, id: row.id },
      { storedBytes: storedBytes.toString(), updatedAt: new Date() },
    );
  }

  async #settle(
    { tenantId, vaultId }: VaultKey,
    state: VaultState,
    code: string | null,
    detail: string | null,
  ): Promise<void> {
    await this.db.run(async (em) => {
      const row = await getVaultRow(em, { tenantId, id: vaultId });
      if (row.state === state && row.stateCode === code) {
        return;
      }
      await em.update(
        VaultRow,
        { tenantId: row.tenantId, id: row.id },
        { state, stateCode: code, stateDetail: detail, updatedAt: new Date() },
      );
      const subject: NodeKey = { type: 'Vault', tenantId: row.tenantId, id: row.id };
      await this.events.write(em, {
        type: `vault.${state.toLowerCase()}`,
        subject,
        data: { name: row.name, state, code },
      });
    });
  }
}

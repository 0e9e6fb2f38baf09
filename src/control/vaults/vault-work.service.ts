import { Injectable } from '@nestjs/common';
import type { NodeKey } from '../../kernel/global-id.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { EventWriter } from '../../platform/mutations/event-writer.ts';
import { concealing } from '../access/conceal.service.ts';
import { VaultRow, type VaultState } from './vault.entity.ts';
import { getVaultRow } from './vault-rows.ts';

export interface VaultKey {
  readonly tenantId: string;
  readonly vaultId: string;
}

/** What a worker reports about a vault of the tenant it acts for. */
@Injectable()
export class VaultWorkService {
  constructor(
    private readonly db: TenantDb,
    private readonly events: EventWriter,
  ) {}

  async markVaultReady(key: VaultKey): Promise<void> {
    await this.#settle(key, 'READY', null, null);
  }

  /** Says on the vault's row why it can't be used. */
  async markVaultFailed(key: VaultKey, code: string, message: string): Promise<void> {
    await this.#settle(key, 'UNAVAILABLE', code, message);
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
      const stateDetail = detail === null ? null : (await concealing(em, { tenantId, vaultId }))(detail);
      await em.update(
        VaultRow,
        { tenantId: row.tenantId, id: row.id },
        { state, stateCode: code, stateDetail, updatedAt: new Date() },
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

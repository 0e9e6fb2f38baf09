import { Injectable } from '@nestjs/common';
import type { NodeKey } from '../../kernel/global-id.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { onConstraint } from '../../platform/database/sql-state.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { checkVersion, updateVersioned } from '../../platform/database/versioned-update.ts';
import { Mutations } from '../../platform/mutations/mutations.ts';
import type { Connection } from '../../platform/paging/connection.ts';
import { Pager } from '../../platform/paging/pager.ts';
import { VaultRow } from './vault.entity.ts';
import { vaultNameTaken } from './vault.errors.ts';
import type { ListVaultsArgs, RenameVaultInput } from './vault.input.ts';
import { getVaultRow } from './vault-rows.ts';

@Injectable()
export class VaultService {
  constructor(
    private readonly scope: TenantScope,
    private readonly db: TenantDb,
    private readonly mutations: Mutations,
    private readonly pager: Pager,
  ) {}

  async getVault(key: NodeKey): Promise<VaultRow> {
    return await this.db.run(async (em) => await getVaultRow(em, key));
  }

  /** The vaults of one tenant, newest first. */
  async listVaults({ tenantId, ...page }: ListVaultsArgs): Promise<Connection<VaultRow>> {
    const tenant = this.scope.tenantOr(tenantId);
    return await this.db.within(tenant, async (em) => {
      const query = em.createQueryBuilder(VaultRow, 'vault').where('vault.tenant_id = :tenantId', tenant);
      const sort = [
        { column: 'vault.created_at', type: 'timestamptz' },
        { column: 'vault.id', type: 'uuid' },
      ] as const;
      return await this.pager.page(query, { list: `vaults|${tenant.tenantId}|newest`, sort, direction: 'DESC' }, page);
    });
  }

  async renameVault(input: RenameVaultInput): Promise<VaultRow> {
    const { vaultId, name, expectedVersion } = input;
    return await this.mutations.run({
      name: 'renameVault',
      target: vaultId,
      input,
      work: async (em) => {
        const row = await getVaultRow(em, vaultId);
        checkVersion(row, expectedVersion);
        const before = row.name;
        const value = await updateVersioned(em, VaultRow, row, { name }).catch(
          onConstraint({ vault_name: () => vaultNameTaken(name) }),
        );
        return {
          value,
          subject: vaultId,
          event: 'vault.updated',
          data: { name },
          detail: { before: { name: before } },
        };
      },
      replay: async (em, id) => await getVaultRow(em, { ...vaultId, id }),
    });
  }
}

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { toId, type VaultId } from '../../kernel/ids.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { AuditWriter } from '../../platform/mutations/audit-writer.ts';
import { VaultRow } from '../vaults/vault.entity.ts';
import { getVaultRow } from '../vaults/vault-rows.ts';
import { insertRestorePoint, type NewRestorePoint } from './insert-restore-point.ts';

export interface VaultContent {
  readonly tenantId: string;
  readonly vaultId: string;
  readonly storedBytes: number;
  readonly points: readonly (Omit<NewRestorePoint, 'tenantId' | 'vaultId'> & { readonly committedAt: string })[];
  /** Points of which nobody can tell whether they are: their rows stay. */
  readonly undecided: readonly string[];
}

export interface RebuiltCatalog {
  readonly added: number;
  /** Rows of restore points that are not in the vault. */
  readonly removed: number;
  /** The same, but a replica refers to them. */
  readonly kept: number;
  /** VMs that were not known (any more): they stand for their restore points, in no pool. */
  readonly vms: number;
}

/** Stands where a pool would: the VM is in none that is known. */
const NOWHERE = '00000000-0000-0000-0000-000000000000';

/** Makes the catalogue say of a vault what the vault itself says; usage is not counted again, and nothing is announced. */
@Injectable()
export class RebuildCatalogService {
  constructor(
    private readonly db: TenantDb,
    private readonly audit: AuditWriter,
  ) {}

  /** All in one transaction; again: nothing changes. NOT_FOUND where the vault's own row is missing. */
  async rebuildCatalog(content: VaultContent): Promise<RebuiltCatalog> {
    const { tenantId, vaultId, points, storedBytes } = content;
    return await this.db.run(async (em) => {
      const vault = await getVaultRow(em, { tenantId, id: vaultId });
      const vms = await insertMissingVms(em, content);
      let added = 0;
      for (const { committedAt, ...point } of points) {
        added += (await insertRestorePoint(em, { ...point, tenantId, vaultId }, new Date(committedAt))) ? 1 : 0;
      }
      const { removed, kept } = await removeOthers(em, content);
      const key = { tenantId: vault.tenantId, id: toId<VaultId>(vaultId) };
      await em.update(VaultRow, key, { storedBytes: String(storedBytes) });
      const rebuilt = { added, removed, kept, vms };
      const subject = { type: 'Vault', tenantId: vault.tenantId, id: vaultId } as const;
      await this.audit.write(em, { action: 'rebuildCatalog', subject, detail: rebuilt });
      return rebuilt;
    });
  }
}

async function insertMissingVms(em: EntityManager, { tenantId, points }: VaultContent): Promise<number> {
  const names = new Map(points.map(({ vmId, point }) => [vmId, point.vmName]));
  let count = 0;
  for (const [vmId, name] of names) {
    const rows: unknown[] = await em.query(
      `insert into app.vm (tenant_id, id, pool_owner_id, pool_id, pool_vm_id, name, power_state, memory_bytes, vcpus,
                           gone_at, released_at)
       values ($1, $2, $3, $3, $3, $4, 'Halted', 0, 0, now(), now())
       on conflict (tenant_id, id) do nothing returning 1`,
      [tenantId, vmId, NOWHERE, name],
    );
    count += rows.length;
  }
  return count;
}

async function removeOthers(
  em: EntityManager,
  { tenantId, vaultId, points, undecided }: VaultContent,
): Promise<{ readonly removed: number; readonly kept: number }> {
  const there = [...points.map(({ point }) => point.restorePointId), ...undecided];
  const others: { id: string; referred: boolean }[] = await em.query(
    `select p.id, exists (select from app.replica r where r.tenant_id = p.tenant_id and r.restore_point_id = p.id) as referred
     from app.restore_point p where p.tenant_id = $1 and p.vault_id = $2 and not p.id = any ($3::uuid[])`,
    [tenantId, vaultId, there],
  );
  const free = others.filter(({ referred }) => !referred).map(({ id }) => id);
  await em.query('delete from app.restore_point where tenant_id = $1 and id = any ($2::uuid[])', [tenantId, free]);
  return { removed: free.length, kept: others.length - free.length };
}

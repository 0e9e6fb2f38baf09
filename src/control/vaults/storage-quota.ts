import type { EntityManager } from 'typeorm';
import type { VaultRow } from './vault.entity.ts';
import { storageQuotaReached } from './vault.errors.ts';

/**
 * Throws STORAGE_QUOTA_REACHED where the vaults under the vault's grant hold as much as the grant allows. It is asked
 * before something is written: what is under way is let finish, and may go past the limit by its own size.
 */
export async function checkStorageQuota(em: EntityManager, vault: VaultRow): Promise<void> {
  if (vault.storageGrantId === null) {
    return;
  }
  const rows: { quota_bytes: string | null; used: string }[] = await em.query(
    `select g.quota_bytes, (select sum(v.stored_bytes) from app.vault v
                            where v.tenant_id = g.tenant_id and v.storage_grant_id = g.id)::text as used
     from app.storage_grant g where g.tenant_id = $1 and g.id = $2`,
    [vault.tenantId, vault.storageGrantId],
  );
  const limit = rows[0]?.quota_bytes ?? null;
  if (limit !== null && BigInt(rows[0]?.used ?? 0) >= BigInt(limit)) {
    throw storageQuotaReached(BigInt(rows[0]?.used ?? 0), BigInt(limit));
  }
}

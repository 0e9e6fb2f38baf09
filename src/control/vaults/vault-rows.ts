import type { EntityManager } from 'typeorm';
import { notFound, type NodeKey } from '../../kernel/global-id.ts';
import type { VaultId } from '../../kernel/ids.ts';
import { VaultRow } from './vault.entity.ts';

export async function getVaultRow(em: EntityManager, key: Pick<NodeKey, 'tenantId' | 'id'>): Promise<VaultRow> {
  const row = await em.findOneBy(VaultRow, toVaultIds(key));
  if (row === null) {
    throw notFound('Vault');
  }
  return row;
}

export function toVaultIds({ tenantId, id }: Pick<NodeKey, 'tenantId' | 'id'>): Pick<VaultRow, 'tenantId' | 'id'> {
  return { tenantId: tenantId as VaultRow['tenantId'], id: id as VaultId };
}

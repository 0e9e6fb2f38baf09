import { z } from 'zod';
import { toGlobalId } from '../../kernel/global-id.ts';
import { bigIntView, defineView, idView } from '../../platform/wire/view.ts';
import type { VaultRow } from './vault.entity.ts';

export const vaultView = defineView('Vault', {
  id: idView('Vault'),
  tenantId: idView('Tenant'),
  name: z.string(),
  storageTargetId: idView('StorageTarget').nullable(),
  storageGrantId: idView('StorageGrant').nullable(),
  state: z.enum(['CREATING', 'READY', 'UNAVAILABLE']),
  stateCode: z.string().nullable(),
  stateDetail: z.string().nullable(),
  storedBytes: bigIntView,
  createdAt: z.date(),
  updatedAt: z.date(),
  version: z.int(),
});
export type VaultView = z.infer<typeof vaultView>;

export function toVaultView(row: VaultRow): VaultView {
  const { tenantId, id, storageTargetId, storageGrantId, ...shown } = row;
  return {
    __typename: 'Vault',
    ...shown,
    id: toGlobalId('Vault', tenantId, id),
    tenantId: toGlobalId('Tenant', tenantId, tenantId),
    storageTargetId: storageTargetId === null ? null : toGlobalId('StorageTarget', tenantId, storageTargetId),
    storageGrantId: storageGrantId === null ? null : toGlobalId('StorageGrant', tenantId, storageGrantId),
  };
}

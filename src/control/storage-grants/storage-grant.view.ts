import { z } from 'zod';
import { toGlobalId } from '../../kernel/global-id.ts';
import { bigIntView, defineView, idView } from '../../platform/wire/view.ts';
import type { StorageGrantRow } from './storage-grant.entity.ts';

export const storageGrantView = defineView('StorageGrant', {
  id: idView('StorageGrant'),
  tenantId: idView('Tenant'),
  storageTargetId: idView('StorageTarget'),
  name: z.string(),
  quotaBytes: bigIntView.nullable(),
  revokedAt: z.date().nullable(),
  createdAt: z.date(),
  updatedAt: z.date(),
  version: z.int(),
});
export type StorageGrantView = z.infer<typeof storageGrantView>;

export function toStorageGrantView(row: StorageGrantRow): StorageGrantView {
  const { tenantId, storageOwnerId, ...shown } = row;
  return {
    __typename: 'StorageGrant',
    ...shown,
    id: toGlobalId('StorageGrant', tenantId, row.id),
    tenantId: toGlobalId('Tenant', tenantId, tenantId),
    storageTargetId: toGlobalId('StorageTarget', storageOwnerId, row.storageTargetId),
  };
}

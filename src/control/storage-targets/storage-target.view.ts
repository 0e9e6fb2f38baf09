import { z } from 'zod';
import { toGlobalId } from '../../kernel/global-id.ts';
import { defineView, idView } from '../../platform/wire/view.ts';
import type { StorageTargetRow } from './storage-target.entity.ts';

export const storageTargetView = defineView('StorageTarget', {
  id: idView('StorageTarget'),
  tenantId: idView('Tenant'),
  name: z.string(),
  kind: z.literal('DIRECTORY'),
  path: z.string(),
  createdAt: z.date(),
  updatedAt: z.date(),
  version: z.int(),
});
export type StorageTargetView = z.infer<typeof storageTargetView>;

export function toStorageTargetView(row: StorageTargetRow): StorageTargetView {
  const { tenantId, id, ...shown } = row;
  return {
    __typename: 'StorageTarget',
    ...shown,
    id: toGlobalId('StorageTarget', tenantId, id),
    tenantId: toGlobalId('Tenant', tenantId, tenantId),
  };
}

import { z } from 'zod';
import { toGlobalId } from '../../kernel/global-id.ts';
import type { Actor } from '../../platform/auth/actor.ts';
import { defineView, idView } from '../../platform/wire/view.ts';
import type { TenantRow } from './tenant.entity.ts';

export const tenantView = defineView('Tenant', {
  id: idView('Tenant'),
  parentId: idView('Tenant').nullable(),
  kind: z.enum(['PROVIDER', 'PARTNER', 'CUSTOMER']),
  name: z.string(),
  state: z.enum(['ACTIVE', 'SUSPENDED']),
  billable: z.boolean(),
  billableReason: z.enum(['ACTIVE', 'TRIAL', 'SUSPENDED', 'LEAVING', 'INTERNAL']),
  createdAt: z.date(),
  updatedAt: z.date(),
  version: z.int(),
});

export type TenantView = z.infer<typeof tenantView>;

/** A parent that lies above the viewer's own tenant is not the viewer's to know. */
export function toTenantView(row: TenantRow, viewer: Pick<Actor, 'tenantId'>): TenantView {
  const parentId = row.id === viewer.tenantId ? null : row.parentId;
  return {
    __typename: 'Tenant',
    id: toGlobalId('Tenant', row.id, row.id),
    parentId: parentId === null ? null : toGlobalId('Tenant', parentId, parentId),
    kind: row.kind,
    name: row.name,
    state: row.state,
    billable: row.billable,
    billableReason: row.billableReason,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    version: row.version,
  };
}

export const viewerView = defineView('Viewer', {
  tenantId: idView('Tenant'),
  tokenId: idView('ApiToken').nullable(),
  permissions: z.array(z.string()),
  reach: z.enum(['SELF', 'SUBTREE']),
  address: z.string().nullable(),
});

export type ViewerView = z.infer<typeof viewerView>;

export function toViewerView(actor: Actor): ViewerView {
  return {
    __typename: 'Viewer',
    tenantId: toGlobalId('Tenant', actor.tenantId, actor.tenantId),
    tokenId: actor.tokenId === null ? null : toGlobalId('ApiToken', actor.tenantId, actor.tokenId),
    permissions: [...actor.permissions].toSorted(),
    reach: actor.reach,
    address: actor.address,
  };
}

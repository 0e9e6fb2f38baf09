import { z } from 'zod';
import { toGlobalId } from '../../kernel/global-id.ts';
import { defineView, idView } from '../../platform/wire/view.ts';
import type { SiteRow } from './site.entity.ts';

export const siteView = defineView('Site', {
  id: idView('Site'),
  tenantId: idView('Tenant'),
  name: z.string(),
  createdAt: z.date(),
  updatedAt: z.date(),
  version: z.int(),
});

export type SiteView = z.infer<typeof siteView>;

export function toSiteView(row: SiteRow): SiteView {
  return {
    __typename: 'Site',
    id: toGlobalId('Site', row.tenantId, row.id),
    tenantId: toGlobalId('Tenant', row.tenantId, row.tenantId),
    name: row.name,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    version: row.version,
  };
}

import { z } from 'zod';
import { toGlobalId } from '../../kernel/global-id.ts';
import { defineView, idView } from '../../platform/wire/view.ts';
import type { PoolRow } from './pool.entity.ts';

const pinnedCertificate = z.object({ address: z.string(), sha256: z.string() });
const capabilities = z.object({
  changedBlocksLicensed: z.boolean(),
  nbd: z.enum(['TLS', 'PLAIN', 'NONE']),
  checkpointLicensed: z.boolean(),
});

export const poolView = defineView('Pool', {
  id: idView('Pool'),
  tenantId: idView('Tenant'),
  siteId: idView('Site'),
  name: z.string(),
  url: z.string(),
  username: z.string(),
  state: z.enum(['PENDING', 'CONNECTED', 'UNREACHABLE', 'REJECTED']),
  stateCode: z.string().nullable(),
  stateDetail: z.string().nullable(),
  xenUuid: z.string().nullable(),
  xenVersion: z.string().nullable(),
  pinnedCertificates: z.array(pinnedCertificate),
  capabilities: capabilities.nullable(),
  inventoryAt: z.date().nullable(),
  createdAt: z.date(),
  updatedAt: z.date(),
  version: z.int(),
});
export type PoolView = z.infer<typeof poolView>;

export function toPoolView(row: PoolRow): PoolView {
  const { tenantId, id, siteId, passwordId: _, ...shown } = row;
  return {
    __typename: 'Pool',
    ...shown,
    id: toGlobalId('Pool', tenantId, id),
    tenantId: toGlobalId('Tenant', tenantId, tenantId),
    siteId: toGlobalId('Site', tenantId, siteId),
    pinnedCertificates: Object.entries(row.pinnedCertificates).map(([address, sha256]) => ({ address, sha256 })),
    capabilities: toCapabilities(row.capabilities),
  };
}

function toCapabilities(found: PoolRow['capabilities']): PoolView['capabilities'] {
  const { changedBlocksLicensed, nbd, checkpointLicensed } = found;
  if (changedBlocksLicensed === undefined || nbd === undefined || checkpointLicensed === undefined) {
    return null;
  }
  return { changedBlocksLicensed, nbd, checkpointLicensed };
}

import { z } from 'zod';
import { toGlobalId } from '../../kernel/global-id.ts';
import { bigIntView, defineView, idView } from '../../platform/wire/view.ts';
import type { VmRow } from './vm.entity.ts';

const disk = z.object({ key: z.string(), name: z.string(), position: z.string(), sizeBytes: bigIntView });

export const vmView = defineView('Vm', {
  id: idView('Vm'),
  tenantId: idView('Tenant'),
  poolId: idView('Pool').nullable(),
  name: z.string(),
  powerState: z.string(),
  memoryBytes: bigIntView,
  vcpus: z.int(),
  tags: z.array(z.string()),
  disks: z.array(disk),
  goneAt: z.date().nullable(),
  releasedAt: z.date().nullable(),
  createdAt: z.date(),
  updatedAt: z.date(),
  version: z.int(),
});
export type VmView = z.infer<typeof vmView>;

/** Of a shared pool its tenants learn nothing here, not even its id. */
export function toVmView(row: VmRow): VmView {
  const { tenantId, poolOwnerId, poolId, poolVmId: _, disks, ...shown } = row;
  return {
    __typename: 'Vm',
    ...shown,
    id: toGlobalId('Vm', tenantId, row.id),
    tenantId: toGlobalId('Tenant', tenantId, tenantId),
    poolId: poolOwnerId === tenantId ? toGlobalId('Pool', tenantId, poolId) : null,
    disks: disks
      .toSorted((a, b) => a.position.localeCompare(b.position, 'en', { numeric: true }))
      .map(({ vdiUuid, name, position, sizeBytes }) => ({
        key: vdiUuid,
        name,
        position,
        sizeBytes: String(sizeBytes),
      })),
  };
}

import { z } from 'zod';
import { toGlobalId } from '../../kernel/global-id.ts';
import { bigIntView, defineView, idView } from '../../platform/wire/view.ts';
import type { PoolVmWithHolder } from './pool-vm.service.ts';

const disk = z.object({
  vdiUuid: z.string(),
  srUuid: z.string(),
  name: z.string(),
  position: z.string(),
  sizeBytes: bigIntView,
  tracksChanges: z.boolean(),
});
const networkInterface = z.object({ device: z.string(), mac: z.string(), networkUuid: z.string() });

export const poolVmView = defineView('PoolVm', {
  id: idView('PoolVm'),
  poolId: idView('Pool'),
  xenUuid: z.string(),
  name: z.string(),
  powerState: z.string(),
  memoryBytes: bigIntView,
  vcpus: z.int(),
  tags: z.array(z.string()),
  disks: z.array(disk),
  interfaces: z.array(networkInterface),
  assignedTenantId: idView('Tenant').nullable(),
  vmId: idView('Vm').nullable(),
  goneAt: z.date().nullable(),
});
export type PoolVmView = z.infer<typeof poolVmView>;

export function toPoolVmView({ row, holder }: PoolVmWithHolder): PoolVmView {
  const { tenantId, updatedAt: _, ...shown } = row;
  return {
    __typename: 'PoolVm',
    ...shown,
    id: toGlobalId('PoolVm', tenantId, row.id),
    poolId: toGlobalId('Pool', tenantId, row.poolId),
    disks: row.disks.map((one) => ({ ...one, sizeBytes: String(one.sizeBytes) })),
    assignedTenantId: holder === null ? null : toGlobalId('Tenant', holder.tenantId, holder.tenantId),
    vmId: holder === null ? null : toGlobalId('Vm', holder.tenantId, holder.vmId),
  };
}

import { z } from 'zod';
import { listArgs, listQuery } from '../../platform/paging/page-args.ts';
import { globalId, idempotencyKeyField, optional } from '../../platform/wire/fields.ts';

export const listVmsArgs = listArgs({ tenantId: optional(globalId('Tenant')), includePast: optional(z.boolean()) });
export type ListVmsArgs = z.infer<typeof listVmsArgs>;
export const listVmsQuery = listQuery({
  tenantId: globalId('Tenant').optional(),
  includePast: z.stringbool().optional(),
});

export const assignVmBody = z.strictObject({ tenantId: globalId('Tenant') });
export type AssignVmBody = z.infer<typeof assignVmBody>;
export const assignVmInput = assignVmBody.extend({
  poolVmId: globalId('PoolVm'),
  idempotencyKey: idempotencyKeyField,
});
export type AssignVmInput = z.infer<typeof assignVmInput>;

export const unassignVmInput = z.strictObject({ poolVmId: globalId('PoolVm'), idempotencyKey: idempotencyKeyField });
export type UnassignVmInput = z.infer<typeof unassignVmInput>;

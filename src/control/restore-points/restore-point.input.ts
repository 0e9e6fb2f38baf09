import type { z } from 'zod';
import { listArgs, listQuery } from '../../platform/paging/page-args.ts';
import { globalId, optional } from '../../platform/wire/fields.ts';

const filter = {
  tenantId: optional(globalId('Tenant')),
  vmId: optional(globalId('Vm')),
  vaultId: optional(globalId('Vault')),
};
export const listRestorePointsArgs = listArgs(filter);
export const listRestorePointsQuery = listQuery(filter);
export type ListRestorePointsArgs = z.infer<typeof listRestorePointsArgs>;

import type { z } from 'zod';
import { listArgs, listQuery } from '../../platform/paging/page-args.ts';
import { globalId, optional } from '../../platform/wire/fields.ts';

const ofTenant = { tenantId: optional(globalId('Tenant')) };
export const listAuditEntriesArgs = listArgs(ofTenant);
export const listAuditEntriesQuery = listQuery(ofTenant);
export type ListAuditEntriesArgs = z.infer<typeof listAuditEntriesArgs>;

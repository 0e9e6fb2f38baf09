import { z } from 'zod';
import { listArgs, listQuery } from '../../platform/paging/page-args.ts';
import { globalId, idempotencyKeyField, optional } from '../../platform/wire/fields.ts';
import { JOB_KINDS } from '../../../workflows/contract/index.ts';
import { JOB_STATES } from './job-state.ts';

const filter = {
  tenantId: optional(globalId('Tenant')),
  vmId: optional(globalId('Vm')),
  kind: optional(z.enum(JOB_KINDS)),
  state: optional(z.enum(JOB_STATES)),
};
export const listJobsArgs = listArgs(filter);
export const listJobsQuery = listQuery(filter);
export type ListJobsArgs = z.infer<typeof listJobsArgs>;

export const cancelJobInput = z.strictObject({ jobId: globalId('Job'), idempotencyKey: optional(idempotencyKeyField) });
export type CancelJobInput = z.infer<typeof cancelJobInput>;

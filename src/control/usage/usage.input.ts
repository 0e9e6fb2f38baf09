import { z } from 'zod';
import { listArgs, listQuery } from '../../platform/paging/page-args.ts';
import { globalId, optional } from '../../platform/wire/fields.ts';
import { METERS } from './meters.ts';

const instant = z.union([z.date(), z.iso.datetime({ offset: true }).transform((text) => new Date(text))]);

const ofWindow = {
  tenantId: optional(globalId('Tenant')),
  from: optional(instant),
  to: optional(instant),
};
const filter = { ...ofWindow, meter: optional(z.enum(METERS)) };

export const listRecordsArgs = listArgs(filter);
export const listRecordsQuery = listQuery(filter);
export type ListRecordsArgs = z.infer<typeof listRecordsArgs>;

const ofTenant = { tenantId: optional(globalId('Tenant')) };
export const listPeriodsArgs = listArgs(ofTenant);
export const listPeriodsQuery = listQuery(ofTenant);
export type ListPeriodsArgs = z.infer<typeof listPeriodsArgs>;

export const reconcileArgs = z.strictObject(ofWindow);
export type ReconcileArgs = z.infer<typeof reconcileArgs>;

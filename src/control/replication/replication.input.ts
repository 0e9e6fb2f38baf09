import { z } from 'zod';
import { listArgs, listQuery } from '../../platform/paging/page-args.ts';
import {
  expectedVersionField,
  globalId,
  idempotencyKeyField,
  nameField,
  optional,
} from '../../platform/wire/fields.ts';
import { placementFields } from '../restores/placement.input.ts';

const ofTenant = { tenantId: optional(globalId('Tenant')), vmId: optional(globalId('Vm')) };
export const listReplicationPlansArgs = listArgs(ofTenant);
export const listReplicationPlansQuery = listQuery(ofTenant);
export type ListReplicationPlansArgs = z.infer<typeof listReplicationPlansArgs>;

export const createReplicationPlanBody = z.strictObject({
  name: nameField,
  vmId: globalId('Vm'),
  vaultId: globalId('Vault'),
  ...placementFields,
});
export type CreateReplicationPlanBody = z.infer<typeof createReplicationPlanBody>;

export const createReplicationPlanInput = createReplicationPlanBody.extend({ idempotencyKey: idempotencyKeyField });
export type CreateReplicationPlanInput = z.infer<typeof createReplicationPlanInput>;

export const deleteReplicationPlanInput = z.strictObject({
  replicationPlanId: globalId('ReplicationPlan'),
  expectedVersion: optional(expectedVersionField),
  idempotencyKey: idempotencyKeyField,
});
export type DeleteReplicationPlanInput = z.infer<typeof deleteReplicationPlanInput>;

export const replicateVmBody = z.strictObject({ restorePointId: optional(globalId('RestorePoint')) });
export type ReplicateVmBody = z.infer<typeof replicateVmBody>;

export const replicateVmInput = replicateVmBody.extend({
  replicationPlanId: globalId('ReplicationPlan'),
  idempotencyKey: idempotencyKeyField,
});
export type ReplicateVmInput = z.infer<typeof replicateVmInput>;

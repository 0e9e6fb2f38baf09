import { z } from 'zod';
import { toGlobalId } from '../../kernel/global-id.ts';
import { defineView, idView } from '../../platform/wire/view.ts';
import type { ReplicaRow } from './replica.entity.ts';
import type { ReplicationPlanRow } from './replication-plan.entity.ts';

export const networkRuleView = defineView('NetworkRule', {
  fromNetworkUuid: z.string().nullable(),
  toNetworkId: idView('Network').nullable(),
});

export const replicaView = defineView('Replica', {
  jobId: idView('Job'),
  restorePointId: idView('RestorePoint'),
  vmUuid: z.string(),
  createdAt: z.date(),
});

export const replicationPlanView = defineView('ReplicationPlan', {
  id: idView('ReplicationPlan'),
  tenantId: idView('Tenant'),
  name: z.string(),
  vmId: idView('Vm'),
  vaultId: idView('Vault'),
  poolId: idView('Pool'),
  poolGrantId: idView('PoolGrant').nullable(),
  storageRepositoryId: idView('StorageRepository'),
  networks: z.array(networkRuleView),
  newestReplica: replicaView.nullable(),
  deletedAt: z.date().nullable(),
  createdAt: z.date(),
  updatedAt: z.date(),
  version: z.int(),
});

export type ReplicationPlanView = z.infer<typeof replicationPlanView>;

/** A plan with the last thing it made. */
export interface PlanWithReplica {
  readonly plan: ReplicationPlanRow;
  readonly newest: ReplicaRow | null;
}

export function toReplicationPlanView({ plan, newest }: PlanWithReplica): ReplicationPlanView {
  const { tenantId, poolOwnerId } = plan;
  return {
    __typename: 'ReplicationPlan',
    id: toGlobalId('ReplicationPlan', tenantId, plan.id),
    tenantId: toGlobalId('Tenant', tenantId, tenantId),
    name: plan.name,
    vmId: toGlobalId('Vm', tenantId, plan.vmId),
    vaultId: toGlobalId('Vault', tenantId, plan.vaultId),
    poolId: toGlobalId('Pool', poolOwnerId, plan.poolId),
    poolGrantId: plan.poolGrantId === null ? null : toGlobalId('PoolGrant', tenantId, plan.poolGrantId),
    storageRepositoryId: toGlobalId('StorageRepository', poolOwnerId, plan.srId),
    networks: plan.networkMap.map(({ from, toNetworkId }) => ({
      __typename: 'NetworkRule',
      fromNetworkUuid: from,
      toNetworkId: toNetworkId === null ? null : toGlobalId('Network', poolOwnerId, toNetworkId),
    })),
    newestReplica: newest === null ? null : toReplicaView(newest),
    deletedAt: plan.deletedAt,
    createdAt: plan.createdAt,
    updatedAt: plan.updatedAt,
    version: plan.version,
  };
}

function toReplicaView(replica: ReplicaRow): z.infer<typeof replicaView> {
  const { tenantId } = replica;
  return {
    __typename: 'Replica',
    jobId: toGlobalId('Job', tenantId, replica.jobId),
    restorePointId: toGlobalId('RestorePoint', tenantId, replica.restorePointId),
    vmUuid: replica.vmXenUuid,
    createdAt: replica.createdAt,
  };
}

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { notFound, type NodeKey } from '../../kernel/global-id.ts';
import {
  toId,
  type PoolGrantId,
  type PoolId,
  type ReplicationPlanId,
  type TenantId,
  type VaultId,
  type VmId,
} from '../../kernel/ids.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { onConstraint } from '../../platform/database/sql-state.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { checkVersion, updateVersioned } from '../../platform/database/versioned-update.ts';
import { Mutations } from '../../platform/mutations/mutations.ts';
import { newId } from '../../platform/new-id.ts';
import { mapConnection, type Connection } from '../../platform/paging/connection.ts';
import { Pager } from '../../platform/paging/pager.ts';
import { checkPlacement } from '../restores/placement.ts';
import { VaultRow } from '../vaults/vault.entity.ts';
import { VmRow } from '../vms/vm.entity.ts';
import { ReplicaRow } from './replica.entity.ts';
import { ReplicationPlanRow } from './replication-plan.entity.ts';
import type { PlanWithReplica } from './replication-plan.view.ts';
import { planNameTaken } from './replication.errors.ts';
import type {
  CreateReplicationPlanInput,
  DeleteReplicationPlanInput,
  ListReplicationPlansArgs,
} from './replication.input.ts';

const NEWEST = [
  { column: 'plan.created_at', type: 'timestamptz' },
  { column: 'plan.id', type: 'uuid' },
] as const;

@Injectable()
export class ReplicationPlanService {
  constructor(
    private readonly scope: TenantScope,
    private readonly db: TenantDb,
    private readonly mutations: Mutations,
    private readonly pager: Pager,
  ) {}

  async getReplicationPlan(key: NodeKey): Promise<PlanWithReplica> {
    return await this.db.run(async (em) => await withReplica(em, await getPlanRow(em, key)));
  }

  /** The plans of one tenant that are not deleted, newest first. */
  async listReplicationPlans({
    tenantId,
    vmId,
    ...page
  }: ListReplicationPlansArgs): Promise<Connection<PlanWithReplica>> {
    const tenant = this.scope.tenantOr(tenantId);
    return await this.db.within(tenant, async (em) => {
      const query = em
        .createQueryBuilder(ReplicationPlanRow, 'plan')
        .where('plan.tenant_id = :tenantId and plan.deleted_at is null', tenant);
      if (vmId !== undefined) {
        query.andWhere('plan.vm_id = :vmId', { vmId: vmId.id });
      }
      const list = ['replication-plans', tenant.tenantId, vmId?.id ?? '', 'newest'].join('|');
      const plans = await this.pager.page(query, { list, sort: NEWEST, direction: 'DESC' }, page);
      const newest = await newestReplicas(
        em,
        plans.edges.map(({ node }) => node),
      );
      return mapConnection(plans, (plan) => ({ plan, newest: newest.get(plan.id) ?? null }));
    });
  }

  async createReplicationPlan(input: CreateReplicationPlanInput): Promise<PlanWithReplica> {
    const { name, vmId, vaultId } = input;
    const tenantId = toId<TenantId>(vmId.tenantId);
    return await this.mutations.run({
      name: 'createReplicationPlan',
      target: vmId,
      input,
      work: async (em) => {
        await requireVmAndVault(em, vmId, vaultId);
        const { target, srId, networkMap } = await checkPlacement(em, tenantId, input);
        const subject: NodeKey = { type: 'ReplicationPlan', tenantId, id: newId<ReplicationPlanId>() };
        const row = {
          ...toIds(subject),
          name,
          vmId: vmId.id as VmId,
          vaultId: vaultId.id as VaultId,
          poolOwnerId: toId<TenantId>(target.poolOwnerId),
          poolId: toId<PoolId>(target.poolId),
          poolGrantId: target.poolGrantId === null ? null : toId<PoolGrantId>(target.poolGrantId),
          srId,
          networkMap: [...networkMap],
        };
        await em
          .insert(ReplicationPlanRow, row)
          .catch(onConstraint({ replication_plan_name: () => planNameTaken(name) }));
        const value = await withReplica(em, await getPlanRow(em, subject));
        return {
          value,
          subject,
          event: 'replication_plan.created',
          data: { name },
          detail: { target: { ...target }, srId },
        };
      },
      replay: async (em, id) => await withReplica(em, await getPlanRow(em, { tenantId, id })),
    });
  }

  /** What was replicated stays where it is. Gives back the key of what is gone. */
  async deleteReplicationPlan(input: DeleteReplicationPlanInput): Promise<NodeKey> {
    const { replicationPlanId, expectedVersion } = input;
    return await this.mutations.run({
      name: 'deleteReplicationPlan',
      target: replicationPlanId,
      input,
      work: async (em) => {
        const row = await getPlanRow(em, replicationPlanId);
        checkVersion(row, expectedVersion);
        await updateVersioned(em, ReplicationPlanRow, row, { deletedAt: new Date() });
        return {
          value: replicationPlanId,
          subject: replicationPlanId,
          event: 'replication_plan.deleted',
          data: { name: row.name },
        };
      },
      replay: async () => await Promise.resolve(replicationPlanId),
    });
  }
}

/** Throws NOT_FOUND where the actor can't see it, or where it was deleted. */
export async function getPlanRow(
  em: EntityManager,
  key: Pick<NodeKey, 'tenantId' | 'id'>,
): Promise<ReplicationPlanRow> {
  const row = await em.findOneBy(ReplicationPlanRow, toIds(key));
  if (row === null || row.deletedAt !== null) {
    throw notFound('ReplicationPlan');
  }
  return row;
}

async function requireVmAndVault(em: EntityManager, vm: NodeKey, vault: NodeKey): Promise<void> {
  if ((await em.findOneBy(VmRow, { tenantId: vm.tenantId as TenantId, id: vm.id as VmId })) === null) {
    throw notFound('Vm');
  }
  const found =
    vault.tenantId === vm.tenantId
      ? await em.findOneBy(VaultRow, { tenantId: vault.tenantId as TenantId, id: vault.id as VaultId })
      : null;
  if (found === null) {
    throw notFound('Vault');
  }
}

async function withReplica(em: EntityManager, plan: ReplicationPlanRow): Promise<PlanWithReplica> {
  return { plan, newest: (await newestReplicas(em, [plan])).get(plan.id) ?? null };
}

async function newestReplicas(
  em: EntityManager,
  plans: readonly ReplicationPlanRow[],
): Promise<Map<ReplicationPlanId, ReplicaRow>> {
  const first = plans[0];
  if (first === undefined) {
    return new Map();
  }
  const rows = await em
    .createQueryBuilder(ReplicaRow, 'replica')
    .distinctOn(['replica.replicationPlanId'])
    .where('replica.tenant_id = :tenantId and replica.replication_plan_id in (:...ids)', {
      tenantId: first.tenantId,
      ids: plans.map(({ id }) => id),
    })
    .orderBy('replica.replicationPlanId')
    .addOrderBy('replica.createdAt', 'DESC')
    .getMany();
  return new Map(rows.map((row) => [row.replicationPlanId, row]));
}

function toIds({ tenantId, id }: Pick<NodeKey, 'tenantId' | 'id'>): Pick<ReplicationPlanRow, 'tenantId' | 'id'> {
  return { tenantId: tenantId as TenantId, id: id as ReplicationPlanId };
}

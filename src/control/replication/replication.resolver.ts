import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import { toGlobalId, type NodeKey } from '../../kernel/global-id.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { NodeRegistry } from '../../platform/graphql/node-registry.ts';
import { payload, type Payload } from '../../platform/graphql/payload.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { type JobView, toJobView } from '../jobs/job.view.ts';
import { ReplicateVmService } from './replicate-vm.service.ts';
import { ReplicationPlanService } from './replication-plan.service.ts';
import { type ReplicationPlanView, toReplicationPlanView } from './replication-plan.view.ts';
import { REPLICATION_USER_ERRORS } from './replication.errors.ts';
import * as replication from './replication.input.ts';

@Resolver()
export class ReplicationResolver {
  constructor(
    private readonly plans: ReplicationPlanService,
    private readonly replications: ReplicateVmService,
    nodes: NodeRegistry,
  ) {
    nodes.register('ReplicationPlan', {
      permission: 'replication:read',
      get: async (key) => toReplicationPlanView(await plans.getReplicationPlan(key)),
    });
  }

  @Query('replicationPlan')
  @RequiresPermission('replication:read')
  async replicationPlan(@Args('id', idPipe('ReplicationPlan')) key: NodeKey): Promise<ReplicationPlanView> {
    return toReplicationPlanView(await this.plans.getReplicationPlan(key));
  }

  @Query('replicationPlans')
  @RequiresPermission('replication:read')
  async listReplicationPlans(
    @Args(inputPipe(replication.listReplicationPlansArgs)) args: replication.ListReplicationPlansArgs,
  ): Promise<Connection<ReplicationPlanView>> {
    return mapConnection(await this.plans.listReplicationPlans(args), toReplicationPlanView);
  }

  @Mutation('createReplicationPlan')
  @RequiresPermission('replication:write')
  async createReplicationPlan(
    @Args('input', inputPipe(replication.createReplicationPlanInput)) input: replication.CreateReplicationPlanInput,
  ): Promise<Payload<'replicationPlan', ReplicationPlanView>> {
    const plan = this.plans.createReplicationPlan(input).then(toReplicationPlanView);
    return await payload('replicationPlan', REPLICATION_USER_ERRORS, plan);
  }

  @Mutation('deleteReplicationPlan')
  @RequiresPermission('replication:write')
  async deleteReplicationPlan(
    @Args('input', inputPipe(replication.deleteReplicationPlanInput)) input: replication.DeleteReplicationPlanInput,
  ): Promise<Payload<'deletedReplicationPlanId', string>> {
    const gone = this.plans
      .deleteReplicationPlan(input)
      .then(({ type, tenantId, id }) => toGlobalId(type, tenantId, id));
    return await payload('deletedReplicationPlanId', REPLICATION_USER_ERRORS, gone);
  }

  @Mutation('replicateVm')
  @RequiresPermission('replication:write')
  async replicateVm(
    @Args('input', inputPipe(replication.replicateVmInput)) input: replication.ReplicateVmInput,
  ): Promise<Payload<'job', JobView>> {
    return await payload('job', REPLICATION_USER_ERRORS, this.replications.replicateVm(input).then(toJobView));
  }
}

import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { NodeKey } from '../../kernel/global-id.ts';
import { type ListBody, mapConnection, toListBody } from '../../platform/paging/connection.ts';
import { IdempotencyKey, IfMatch } from '../../platform/rest/headers.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { jobView, type JobView, toJobView } from '../jobs/job.view.ts';
import { ReplicateVmService } from './replicate-vm.service.ts';
import { ReplicationPlanService } from './replication-plan.service.ts';
import { replicationPlanView, type ReplicationPlanView, toReplicationPlanView } from './replication-plan.view.ts';
import * as replication from './replication.input.ts';

@Controller('v1/replication-plans')
export class ReplicationController {
  constructor(
    private readonly plans: ReplicationPlanService,
    private readonly replications: ReplicateVmService,
  ) {}

  @Get()
  @Operation({
    summary: 'List the replication plans of a tenant, newest first',
    permission: 'replication:read',
    returns: replicationPlanView,
    list: true,
    query: { tenantId: 'Tenant', vmId: 'Vm' },
  })
  async listReplicationPlans(
    @Query(inputPipe(replication.listReplicationPlansQuery)) query: replication.ListReplicationPlansArgs,
  ): Promise<ListBody<ReplicationPlanView>> {
    return toListBody(mapConnection(await this.plans.listReplicationPlans(query), toReplicationPlanView));
  }

  @Get(':replicationPlanId')
  @Operation({
    summary: 'Read a replication plan',
    permission: 'replication:read',
    returns: replicationPlanView,
    ids: { replicationPlanId: 'ReplicationPlan' },
  })
  async getReplicationPlan(
    @Param('replicationPlanId', idPipe('ReplicationPlan')) replicationPlanId: NodeKey,
  ): Promise<ReplicationPlanView> {
    return toReplicationPlanView(await this.plans.getReplicationPlan(replicationPlanId));
  }

  @Post()
  @Operation({
    summary: 'Create a replication plan',
    permission: 'replication:write',
    status: 201,
    body: replication.createReplicationPlanBody,
    returns: replicationPlanView,
    idempotencyKey: 'required',
  })
  async createReplicationPlan(
    @Body(inputPipe(replication.createReplicationPlanBody)) body: replication.CreateReplicationPlanBody,
    @IdempotencyKey() idempotencyKey: string,
  ): Promise<ReplicationPlanView> {
    return toReplicationPlanView(await this.plans.createReplicationPlan({ ...body, idempotencyKey }));
  }

  @Delete(':replicationPlanId')
  @HttpCode(204)
  @Operation({
    summary: 'Delete a replication plan; what it replicated stays',
    permission: 'replication:write',
    status: 204,
    ids: { replicationPlanId: 'ReplicationPlan' },
    idempotencyKey: 'required',
    ifMatch: true,
  })
  async deleteReplicationPlan(
    @Param('replicationPlanId', idPipe('ReplicationPlan')) replicationPlanId: NodeKey,
    @IfMatch() expectedVersion: number | undefined,
    @IdempotencyKey() idempotencyKey: string,
  ): Promise<void> {
    await this.plans.deleteReplicationPlan({ replicationPlanId, expectedVersion, idempotencyKey });
  }

  @Post(':replicationPlanId/runs')
  @HttpCode(202)
  @Operation({
    summary: 'Run a replication plan once, as a job',
    permission: 'replication:write',
    status: 202,
    body: replication.replicateVmBody,
    returns: jobView,
    ids: { replicationPlanId: 'ReplicationPlan' },
    idempotencyKey: 'required',
  })
  async replicateVm(
    @Param('replicationPlanId', idPipe('ReplicationPlan')) replicationPlanId: NodeKey,
    @Body(inputPipe(replication.replicateVmBody)) body: replication.ReplicateVmBody,
    @IdempotencyKey() idempotencyKey: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<JobView> {
    const job = toJobView(await this.replications.replicateVm({ ...body, replicationPlanId, idempotencyKey }));
    response.setHeader('Location', `/v1/jobs/${job.id}`);
    return job;
  }
}

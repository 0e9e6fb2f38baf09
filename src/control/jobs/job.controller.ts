import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import type { NodeKey } from '../../kernel/global-id.ts';
import { type ListBody, mapConnection, toListBody } from '../../platform/paging/connection.ts';
import { OptionalIdempotencyKey } from '../../platform/rest/headers.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { CancelJobService } from './cancel-job.service.ts';
import * as job from './job.input.ts';
import { JobService } from './job.service.ts';
import { jobView, type JobView, toJobView } from './job.view.ts';

@Controller('v1/jobs')
export class JobController {
  constructor(
    private readonly jobs: JobService,
    private readonly cancelling: CancelJobService,
  ) {}

  @Get()
  @Operation({
    summary: 'List the jobs of a tenant, newest first',
    permission: 'jobs:read',
    returns: jobView,
    list: true,
    query: { tenantId: 'Tenant', vmId: 'Vm', kind: 'text', state: 'text' },
  })
  async listJobs(@Query(inputPipe(job.listJobsQuery)) query: job.ListJobsArgs): Promise<ListBody<JobView>> {
    return toListBody(mapConnection(await this.jobs.listJobs(query), toJobView));
  }

  @Get(':jobId')
  @Operation({ summary: 'Read a job', permission: 'jobs:read', returns: jobView, ids: { jobId: 'Job' } })
  async getJob(@Param('jobId', idPipe('Job')) jobId: NodeKey): Promise<JobView> {
    return toJobView(await this.jobs.getJob(jobId));
  }

  @Post(':jobId/cancel')
  @HttpCode(202)
  @Operation({
    summary: 'Cancel a job',
    permission: 'jobs:write',
    status: 202,
    returns: jobView,
    ids: { jobId: 'Job' },
    idempotencyKey: 'optional',
  })
  async cancelJob(
    @Param('jobId', idPipe('Job')) jobId: NodeKey,
    @OptionalIdempotencyKey() idempotencyKey: string | undefined,
  ): Promise<JobView> {
    return toJobView(await this.cancelling.cancelJob({ jobId, idempotencyKey }));
  }
}

import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { NodeKey } from '../../kernel/global-id.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { NodeRegistry } from '../../platform/graphql/node-registry.ts';
import { payload, type Payload } from '../../platform/graphql/payload.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { CancelJobService } from './cancel-job.service.ts';
import { JOB_USER_ERRORS } from './job.errors.ts';
import * as job from './job.input.ts';
import { JobService } from './job.service.ts';
import { type JobView, toJobView } from './job.view.ts';

@Resolver()
export class JobResolver {
  constructor(
    private readonly jobs: JobService,
    private readonly cancelling: CancelJobService,
    nodes: NodeRegistry,
  ) {
    nodes.register('Job', { permission: 'jobs:read', get: async (key) => toJobView(await jobs.getJob(key)) });
  }

  @Query('job')
  @RequiresPermission('jobs:read')
  async job(@Args('id', idPipe('Job')) key: NodeKey): Promise<JobView> {
    return toJobView(await this.jobs.getJob(key));
  }

  @Query('jobs')
  @RequiresPermission('jobs:read')
  async listJobs(@Args(inputPipe(job.listJobsArgs)) args: job.ListJobsArgs): Promise<Connection<JobView>> {
    return mapConnection(await this.jobs.listJobs(args), toJobView);
  }

  @Mutation('cancelJob')
  @RequiresPermission('jobs:write')
  async cancelJob(
    @Args('input', inputPipe(job.cancelJobInput)) input: job.CancelJobInput,
  ): Promise<Payload<'job', JobView>> {
    return await payload('job', JOB_USER_ERRORS, this.cancelling.cancelJob(input).then(toJobView));
  }
}

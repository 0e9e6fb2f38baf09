import { Module } from '@nestjs/common';
import { CancelJobService } from './cancel-job.service.ts';
import { JobFeedResolver } from './job-feed.resolver.ts';
import { JobLaunchService } from './job-launch.service.ts';
import { JobWorkflows } from './job-workflows.ts';
import { JobController } from './job.controller.ts';
import { JobResolver } from './job.resolver.ts';
import { JobService } from './job.service.ts';

@Module({
  controllers: [JobController],
  providers: [JobService, JobLaunchService, CancelJobService, JobWorkflows, JobResolver, JobFeedResolver],
  exports: [JobService, JobLaunchService],
})
export class JobsModule {}

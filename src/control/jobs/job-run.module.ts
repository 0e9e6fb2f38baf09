import { Module } from '@nestjs/common';
import { JobProgressService } from './job-progress.service.ts';
import { JobRunService } from './job-run.service.ts';
import { JobWorkflows } from './job-workflows.ts';

/** The worker's side of jobs: what workflows, activities and the reconciler do to rows. */
@Module({
  providers: [JobRunService, JobProgressService, JobWorkflows],
  exports: [JobRunService, JobProgressService, JobWorkflows],
})
export class JobRunModule {}

import { Injectable } from '@nestjs/common';
import { JobRunService } from '../control/jobs/job-run.service.ts';
import type { BeginJobInput, FinishJobInput, JobActivities } from '../../workflows/contract/index.ts';

@Injectable()
export class JobRowActivities implements JobActivities {
  constructor(private readonly runs: JobRunService) {}

  async beginJob(input: BeginJobInput): Promise<void> {
    await this.runs.beginJob(input);
  }

  async finishJob(input: FinishJobInput): Promise<void> {
    await this.runs.finishJob(input);
  }
}

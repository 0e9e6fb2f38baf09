import { Inject, Injectable } from '@nestjs/common';
import { JobRunService } from '../control/jobs/job-run.service.ts';
import { siteQueue, type JobRef, type LeftBehind, type RecoveryActivities } from '../../workflows/contract/index.ts';
import { TASK_QUEUE_PREFIX } from './mover.ts';

@Injectable()
export class RecoveryRowActivities implements RecoveryActivities {
  constructor(
    private readonly runs: JobRunService,
    @Inject(TASK_QUEUE_PREFIX) private readonly prefix: string,
  ) {}

  async findLeftBehind(ref: JobRef): Promise<LeftBehind> {
    const { siteId, backup, restore } = (await this.runs.getJob(ref)).journal;
    if (siteId !== undefined && backup !== undefined) {
      return { kind: 'BACKUP', siteQueue: siteQueue(this.prefix, siteId), backup };
    }
    if (siteId !== undefined && restore !== undefined) {
      return { kind: 'RESTORE', siteQueue: siteQueue(this.prefix, siteId), restore };
    }
    return { kind: 'NOTHING' };
  }
}

import { Injectable } from '@nestjs/common';
import { isFinished } from '../control/jobs/job-state.ts';
import { jobStateConflict } from '../control/jobs/job.errors.ts';
import type { JobRow } from '../control/jobs/job.entity.ts';
import { JobRunService } from '../control/jobs/job-run.service.ts';
import { AppError } from '../kernel/errors.ts';
import type { ActivityFunction } from '../platform/temporal/bind-activities.ts';
import type { JobRef } from '../../workflows/contract/index.ts';

/** What may still be done for a job that has ended: its end again, and clearing up. */
const AFTER_THE_END: ReadonlySet<string> = new Set([
  'beginJob',
  'finishJob',
  'findLeftBehind',
  'cleanUpBackup',
  'cleanUpRestore',
]);

const SAME = ['vmId', 'vaultId', 'poolId', 'replicationPlanId'] as const satisfies readonly (keyof JobRow)[];

/** A payload is what a workflow says; the row is the truth. Where they disagree nothing is done. */
@Injectable()
export class JobGuard {
  constructor(private readonly runs: JobRunService) {}

  /** The same activities, each refusing input that its job's row contradicts. */
  around(activities: Readonly<Record<string, ActivityFunction>>): Record<string, ActivityFunction> {
    return Object.fromEntries(
      Object.entries(activities).map(([name, activity]) => [
        name,
        async (...args: never[]) => {
          const [input] = args;
          if (input !== undefined) {
            await this.#check(name, input);
          }
          return await activity(...args);
        },
      ]),
    );
  }

  async #check(name: string, input: JobRef & Readonly<Record<string, unknown>>): Promise<void> {
    const job = await this.runs.getJob(input);
    if (isFinished(job.state) && !AFTER_THE_END.has(name)) {
      throw jobStateConflict(job.id, job.state, job.runId);
    }
    for (const key of SAME) {
      const said = input[key];
      if (said !== undefined && job[key] !== null && said !== job[key]) {
        throw new AppError('INTERNAL', `The activity ${name} was called with another ${key} than its job has.`);
      }
    }
  }
}

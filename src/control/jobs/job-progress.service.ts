import { Injectable } from '@nestjs/common';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import type { JobRef } from '../../../workflows/contract/index.ts';

/** One disk's part of a job, in bytes. */
export interface ProgressPart {
  readonly phase: string;
  /** Names the disk. */
  readonly part: string;
  readonly done: number;
  readonly total: number;
}

/** Writes `job_progress`; callers keep it to once a second. */
@Injectable()
export class JobProgressService {
  constructor(private readonly db: TenantDb) {}

  /** A new phase; what the disks have done stays counted. */
  async enter({ tenantId, jobId }: JobRef, phase: string): Promise<void> {
    await this.#report([tenantId, jobId, phase, '', 0, 0]);
  }

  /** How far one disk is; the row holds the sum over all of them. */
  async report({ tenantId, jobId }: JobRef, { phase, part, done, total }: ProgressPart): Promise<void> {
    await this.#report([tenantId, jobId, phase, part, done, total]);
  }

  async #report(values: readonly (string | number)[]): Promise<void> {
    await this.db.run(async (em) => {
      await em.query('select app.report_progress($1, $2, $3, $4, $5, $6)', [...values]);
    });
  }
}

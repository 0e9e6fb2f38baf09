import { Inject, Injectable } from '@nestjs/common';
import type { RoleDatabase } from '../../platform/feed/sql.ts';
import type { JobKind } from '../../../workflows/contract/index.ts';
import type { JobState } from '../jobs/job-state.ts';

/** Injection token: the database as the worker's role, without a tenant. */
export const WORKER_DATABASE = Symbol('WORKER_DATABASE');

export interface ListedJob {
  readonly tenantId: string;
  readonly jobId: string;
  readonly kind: JobKind;
  readonly state: JobState;
  readonly runId: string | null;
}

const COLUMNS = 'tenant_id as "tenantId", job_id as "jobId", kind, state, run_id as "runId"';

/** The few things that a worker is told without a tenant: through definer functions, ids and states only. */
@Injectable()
export class WorkerListsService {
  constructor(@Inject(WORKER_DATABASE) private readonly database: RoleDatabase) {}

  /** Unfinished jobs whose row nobody has touched for `idleMs`, the longest first. */
  async jobsToReconcile(idleMs: number, most: number): Promise<readonly ListedJob[]> {
    return await this.database.query<ListedJob>(
      `select ${COLUMNS} from app.jobs_to_reconcile($1 * interval '1 millisecond', $2)`,
      [idleMs, most],
    );
  }

  /** Jobs that ended within the last `withinMs`. */
  async jobsEnded(withinMs: number, most: number): Promise<readonly ListedJob[]> {
    return await this.database.query<ListedJob>(
      `select ${COLUMNS} from app.jobs_ended_since(now() - $1 * interval '1 millisecond', $2)`,
      [withinMs, most],
    );
  }

  /** Jobs that ended and whose clean-up was not complete. */
  async jobsWithLeftovers(most: number): Promise<readonly ListedJob[]> {
    return await this.database.query<ListedJob>(`select ${COLUMNS} from app.jobs_with_leftovers($1)`, [most]);
  }

  async sitesToServe(): Promise<readonly string[]> {
    const rows = await this.database.query<{ readonly siteId: string }>(
      'select site_id as "siteId" from app.sites_to_serve()',
    );
    return rows.map(({ siteId }) => siteId);
  }
}

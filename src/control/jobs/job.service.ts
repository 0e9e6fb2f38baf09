import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { notFound, type NodeKey } from '../../kernel/global-id.ts';
import type { JobId, TenantId } from '../../kernel/ids.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import type { Connection } from '../../platform/paging/connection.ts';
import { mapConnection } from '../../platform/paging/connection.ts';
import { Pager } from '../../platform/paging/pager.ts';
import { JobProgressRow } from './job-progress.entity.ts';
import { JobRow } from './job.entity.ts';
import type { ListJobsArgs } from './job.input.ts';
import type { JobWithProgress } from './job.view.ts';

const NEWEST = [
  { column: 'job.created_at', type: 'timestamptz' },
  { column: 'job.id', type: 'uuid' },
] as const;

/** Reads of jobs. */
@Injectable()
export class JobService {
  constructor(
    private readonly scope: TenantScope,
    private readonly db: TenantDb,
    private readonly pager: Pager,
  ) {}

  async getJob(key: NodeKey): Promise<JobWithProgress> {
    return await this.db.run(async (em) => {
      const job = await getJobRow(em, key);
      const progress = await em.findOneBy(JobProgressRow, { tenantId: job.tenantId, jobId: job.id });
      return { job, progress };
    });
  }

  /** The jobs of one tenant, newest first. */
  async listJobs({ tenantId, vmId, kind, state, ...page }: ListJobsArgs): Promise<Connection<JobWithProgress>> {
    const tenant = this.scope.tenantOr(tenantId);
    return await this.db.within(tenant, async (em) => {
      const query = em.createQueryBuilder(JobRow, 'job').where('job.tenant_id = :tenantId', tenant);
      if (vmId !== undefined) {
        query.andWhere('job.vm_id = :vmId', { vmId: vmId.id });
      }
      if (kind !== undefined) {
        query.andWhere('job.kind = :kind', { kind });
      }
      if (state !== undefined) {
        query.andWhere('job.state = :state', { state });
      }
      const list = ['jobs', tenant.tenantId, vmId?.id ?? '', kind ?? '', state ?? '', 'newest'].join('|');
      const jobs = await this.pager.page(query, { list, sort: NEWEST, direction: 'DESC' }, page);
      const progress = await progressOf(em, jobs);
      return mapConnection(jobs, (job) => ({ job, progress: progress.get(job.id) ?? null }));
    });
  }
}

/** Throws NOT_FOUND where the actor can't see it. */
export async function getJobRow(
  em: EntityManager,
  { tenantId, id }: Pick<NodeKey, 'tenantId' | 'id'>,
): Promise<JobRow> {
  const row = await em.findOneBy(JobRow, { tenantId: tenantId as TenantId, id: id as JobId });
  if (row === null) {
    throw notFound('Job');
  }
  return row;
}

async function progressOf(em: EntityManager, jobs: Connection<JobRow>): Promise<Map<string, JobProgressRow>> {
  const nodes = jobs.edges.map(({ node }) => node);
  const first = nodes[0];
  if (first === undefined) {
    return new Map();
  }
  const rows = await em
    .createQueryBuilder(JobProgressRow, 'progress')
    .where('progress.tenant_id = :tenantId and progress.job_id in (:...ids)', {
      tenantId: first.tenantId,
      ids: nodes.map(({ id }) => id),
    })
    .getMany();
  return new Map(rows.map((row) => [row.jobId, row]));
}

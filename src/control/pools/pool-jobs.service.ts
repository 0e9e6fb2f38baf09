import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { InventoryPoolInput } from '../../../workflows/contract/index.ts';
import type { NodeKey } from '../../kernel/global-id.ts';
import type { PoolId } from '../../kernel/ids.ts';
import { Mutations } from '../../platform/mutations/mutations.ts';
import { newId } from '../../platform/new-id.ts';
import { JobRow } from '../jobs/job.entity.ts';
import { jobEvent } from '../jobs/job-event.ts';
import { JobLaunchService, type JobOrder } from '../jobs/job-launch.service.ts';
import { getJobRow } from '../jobs/job.service.ts';
import { SiteService } from '../sites/site.service.ts';
import { isProvider } from '../tenants/tenant-tree.service.ts';
import { PoolRow } from './pool.entity.ts';
import { isOwnMachine } from './pool-address.ts';
import { addressOfService, poolAlreadyRegistered } from './pool.errors.ts';
import type { RefreshPoolInput, RegisterPoolInput } from './pool.input.ts';
import { PoolPasswords } from './pool-passwords.ts';
import { findTwin, getPoolRow, toPoolIds } from './pool-rows.ts';

export interface PoolWithJob {
  readonly pool: PoolRow;
  readonly job: JobRow;
}

/** What connects to a pool is a job: row first, then the workflow. */
@Injectable()
export class PoolJobsService {
  constructor(
    private readonly mutations: Mutations,
    private readonly sites: SiteService,
    private readonly passwords: PoolPasswords,
    private readonly launcher: JobLaunchService,
  ) {}

  async registerPool(input: RegisterPoolInput): Promise<PoolWithJob> {
    const { siteId, password, name, url, username } = input;
    const made = await this.mutations.run<PoolWithJob>({
      name: 'registerPool',
      target: siteId,
      input,
      work: async (em) => {
        const site = await this.sites.getSite(siteId);
        const subject: NodeKey = { type: 'Pool', tenantId: site.tenantId, id: newId<PoolId>() };
        const ids = toPoolIds(subject);
        if (isOwnMachine(url) && !(await isProvider(em, site.tenantId))) {
          throw addressOfService();
        }
        const twin = await findTwin(em, ids, { url });
        if (twin !== null) {
          throw poolAlreadyRegistered(twin, 'url');
        }
        const passwordId = await this.passwords.insert(em, ids, password);
        await em.insert(PoolRow, { ...ids, siteId: site.id, name, url, username, passwordId });
        const pool = await getPoolRow(em, subject);
        const job = await this.launcher.enqueue(em, inventoryOf(pool));
        return { value: { pool, job }, subject, event: 'pool.registered', data: { name }, detail: { url, username } };
      },
      replay: async (em, id) => {
        const pool = await getPoolRow(em, { ...siteId, id });
        return { pool, job: await firstJobOf(em, pool) };
      },
    });
    await this.launcher.launch(made.job);
    return made;
  }

  async refreshPool(input: RefreshPoolInput): Promise<JobRow> {
    const { poolId } = input;
    const job = await this.mutations.run({
      name: 'refreshPool',
      target: poolId,
      input,
      work: async (em) => {
        const row = await this.launcher.insert(em, inventoryOf(await getPoolRow(em, poolId)));
        const { type: event, subject, data = {} } = jobEvent(row);
        return { value: row, subject, event, data };
      },
      replay: async (em, id) => await getJobRow(em, { ...poolId, id }),
    });
    await this.launcher.launch(job);
    return job;
  }
}

function inventoryOf({ tenantId, id }: PoolRow): JobOrder<InventoryPoolInput> {
  return { kind: 'POOL_INVENTORY', tenantId, poolId: id, input: { poolId: id } };
}

/** The job that the registration started. */
async function firstJobOf(em: EntityManager, { tenantId, id }: PoolRow): Promise<JobRow> {
  return await em.findOneOrFail(JobRow, {
    where: { tenantId, poolId: id, kind: 'POOL_INVENTORY' },
    order: { createdAt: 'ASC', id: 'ASC' },
  });
}

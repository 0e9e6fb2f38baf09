import { Args, Mutation, Resolver } from '@nestjs/graphql';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { payload, type Payload, type UserErrorView } from '../../platform/graphql/payload.ts';
import { inputPipe } from '../../platform/wire/input-pipe.ts';
import { type JobView, toJobView } from '../jobs/job.view.ts';
import { POOL_USER_ERRORS } from './pool.errors.ts';
import * as pool from './pool.input.ts';
import { type PoolView, toPoolView } from './pool.view.ts';
import { PoolJobsService } from './pool-jobs.service.ts';

interface RegisterPoolPayload {
  readonly pool: PoolView | null;
  readonly job: JobView | null;
  readonly userErrors: readonly UserErrorView[];
}

@Resolver()
export class PoolJobsResolver {
  constructor(private readonly pools: PoolJobsService) {}

  @Mutation('registerPool')
  @RequiresPermission('pools:write')
  async registerPool(
    @Args('input', inputPipe(pool.registerPoolInput)) input: pool.RegisterPoolInput,
  ): Promise<RegisterPoolPayload> {
    const { made, userErrors } = await payload('made', POOL_USER_ERRORS, this.pools.registerPool(input));
    return {
      pool: made === null ? null : toPoolView(made.pool),
      job: made === null ? null : toJobView({ job: made.job, progress: null }),
      userErrors,
    };
  }

  @Mutation('refreshPool')
  @RequiresPermission('pools:write')
  async refreshPool(
    @Args('input', inputPipe(pool.refreshPoolInput)) input: pool.RefreshPoolInput,
  ): Promise<Payload<'job', JobView>> {
    const job = this.pools.refreshPool(input).then((row) => toJobView({ job: row, progress: null }));
    return await payload('job', POOL_USER_ERRORS, job);
  }
}

import { Body, Controller, HttpCode, Param, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
import { z } from 'zod';
import type { NodeKey } from '../../kernel/global-id.ts';
import { IdempotencyKey } from '../../platform/rest/headers.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { jobView, type JobView, toJobView } from '../jobs/job.view.ts';
import * as pool from './pool.input.ts';
import { poolView, type PoolView, toPoolView } from './pool.view.ts';
import { PoolJobsService } from './pool-jobs.service.ts';

@Controller('v1/pools')
export class PoolJobsController {
  constructor(private readonly pools: PoolJobsService) {}

  @Post()
  @HttpCode(202)
  @Operation({
    summary: 'Register a pool, and start the job that reads its inventory',
    permission: 'pools:write',
    status: 202,
    body: pool.registerPoolBody,
    returns: z.object({ pool: poolView, job: jobView }),
    idempotencyKey: 'required',
  })
  async registerPool(
    @Body(inputPipe(pool.registerPoolBody)) body: pool.RegisterPoolBody,
    @IdempotencyKey() idempotencyKey: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<{ readonly pool: PoolView; readonly job: JobView }> {
    const made = await this.pools.registerPool({ ...body, idempotencyKey });
    const job = toJobView({ job: made.job, progress: null });
    response.location(`/v1/jobs/${job.id}`);
    return { pool: toPoolView(made.pool), job };
  }

  @Post(':poolId/refresh')
  @HttpCode(202)
  @Operation({
    summary: "Read a pool's inventory again",
    permission: 'pools:write',
    status: 202,
    returns: jobView,
    ids: { poolId: 'Pool' },
    idempotencyKey: 'required',
  })
  async refreshPool(
    @Param('poolId', idPipe('Pool')) poolId: NodeKey,
    @IdempotencyKey() idempotencyKey: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<JobView> {
    const job = toJobView({ job: await this.pools.refreshPool({ poolId, idempotencyKey }), progress: null });
    response.location(`/v1/jobs/${job.id}`);
    return job;
  }
}

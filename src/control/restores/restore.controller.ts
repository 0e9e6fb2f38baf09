import { Body, Controller, HttpCode, Param, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { NodeKey } from '../../kernel/global-id.ts';
import { IdempotencyKey } from '../../platform/rest/headers.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { jobView, type JobView, toJobView } from '../jobs/job.view.ts';
import { RestoreVmService } from './restore-vm.service.ts';
import * as restore from './restore.input.ts';

@Controller('v1/restore-points')
export class RestoreController {
  constructor(private readonly restores: RestoreVmService) {}

  @Post(':restorePointId/restores')
  @HttpCode(202)
  @Operation({
    summary: 'Restore a restore point as a new VM, as a job',
    permission: 'restores:write',
    status: 202,
    body: restore.restoreVmBody,
    returns: jobView,
    ids: { restorePointId: 'RestorePoint' },
    idempotencyKey: 'required',
  })
  async restoreVm(
    @Param('restorePointId', idPipe('RestorePoint')) restorePointId: NodeKey,
    @Body(inputPipe(restore.restoreVmBody)) body: restore.RestoreVmBody,
    @IdempotencyKey() idempotencyKey: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<JobView> {
    const job = toJobView(await this.restores.restoreVm({ ...body, restorePointId, idempotencyKey }));
    response.setHeader('Location', `/v1/jobs/${job.id}`);
    return job;
  }
}

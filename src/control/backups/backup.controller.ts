import { Body, Controller, HttpCode, Param, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { NodeKey } from '../../kernel/global-id.ts';
import { IdempotencyKey } from '../../platform/rest/headers.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { jobView, type JobView, toJobView } from '../jobs/job.view.ts';
import { BackupVmService } from './backup-vm.service.ts';
import * as backup from './backup.input.ts';

@Controller('v1/vms')
export class BackupController {
  constructor(private readonly backups: BackupVmService) {}

  @Post(':vmId/backups')
  @HttpCode(202)
  @Operation({
    summary: 'Back a VM up, as a job',
    permission: 'backups:write',
    status: 202,
    body: backup.backupVmBody,
    returns: jobView,
    ids: { vmId: 'Vm' },
    idempotencyKey: 'required',
  })
  async backupVm(
    @Param('vmId', idPipe('Vm')) vmId: NodeKey,
    @Body(inputPipe(backup.backupVmBody)) body: backup.BackupVmBody,
    @IdempotencyKey() idempotencyKey: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<JobView> {
    const job = toJobView(await this.backups.backupVm({ ...body, vmId, idempotencyKey }));
    response.setHeader('Location', `/v1/jobs/${job.id}`);
    return job;
  }
}

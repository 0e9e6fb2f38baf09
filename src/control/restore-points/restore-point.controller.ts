import { Controller, Get, Param, Query } from '@nestjs/common';
import type { NodeKey } from '../../kernel/global-id.ts';
import { type ListBody, mapConnection, toListBody } from '../../platform/paging/connection.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import * as restorePoint from './restore-point.input.ts';
import { RestorePointService } from './restore-point.service.ts';
import { restorePointView, type RestorePointView, toRestorePointView } from './restore-point.view.ts';

@Controller('v1/restore-points')
export class RestorePointController {
  constructor(private readonly restorePoints: RestorePointService) {}

  @Get()
  @Operation({
    summary: 'List the restore points of a tenant, newest first',
    permission: 'restore-points:read',
    returns: restorePointView,
    list: true,
    query: { tenantId: 'Tenant', vmId: 'Vm', vaultId: 'Vault' },
  })
  async listRestorePoints(
    @Query(inputPipe(restorePoint.listRestorePointsQuery)) query: restorePoint.ListRestorePointsArgs,
  ): Promise<ListBody<RestorePointView>> {
    return toListBody(mapConnection(await this.restorePoints.listRestorePoints(query), toRestorePointView));
  }

  @Get(':restorePointId')
  @Operation({
    summary: 'Read a restore point',
    permission: 'restore-points:read',
    returns: restorePointView,
    ids: { restorePointId: 'RestorePoint' },
  })
  async getRestorePoint(
    @Param('restorePointId', idPipe('RestorePoint')) restorePointId: NodeKey,
  ): Promise<RestorePointView> {
    return toRestorePointView(await this.restorePoints.getRestorePoint(restorePointId));
  }
}

import { Args, Query, Resolver } from '@nestjs/graphql';
import type { NodeKey } from '../../kernel/global-id.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { NodeRegistry } from '../../platform/graphql/node-registry.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import * as restorePoint from './restore-point.input.ts';
import { RestorePointService } from './restore-point.service.ts';
import { type RestorePointView, toRestorePointView } from './restore-point.view.ts';

@Resolver()
export class RestorePointResolver {
  constructor(
    private readonly restorePoints: RestorePointService,
    nodes: NodeRegistry,
  ) {
    nodes.register('RestorePoint', {
      permission: 'restore-points:read',
      get: async (key) => toRestorePointView(await restorePoints.getRestorePoint(key)),
    });
  }

  @Query('restorePoint')
  @RequiresPermission('restore-points:read')
  async restorePoint(@Args('id', idPipe('RestorePoint')) key: NodeKey): Promise<RestorePointView> {
    return toRestorePointView(await this.restorePoints.getRestorePoint(key));
  }

  @Query('restorePoints')
  @RequiresPermission('restore-points:read')
  async listRestorePoints(
    @Args(inputPipe(restorePoint.listRestorePointsArgs)) args: restorePoint.ListRestorePointsArgs,
  ): Promise<Connection<RestorePointView>> {
    return mapConnection(await this.restorePoints.listRestorePoints(args), toRestorePointView);
  }
}

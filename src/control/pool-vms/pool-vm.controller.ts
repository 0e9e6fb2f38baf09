import { Controller, Get, Param, Query } from '@nestjs/common';
import type { NodeKey } from '../../kernel/global-id.ts';
import { type ListBody, mapConnection, toListBody } from '../../platform/paging/connection.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { type ListPoolVmsArgs, listPoolVmsQuery } from './pool-vm.input.ts';
import { PoolVmService } from './pool-vm.service.ts';
import { poolVmView, type PoolVmView, toPoolVmView } from './pool-vm.view.ts';

@Controller('v1')
export class PoolVmController {
  constructor(private readonly poolVms: PoolVmService) {}

  @Get('pools/:poolId/vms')
  @Operation({
    summary: 'List the guests in a pool, by name, whoever they are assigned to',
    permission: 'pools:read',
    returns: poolVmView,
    list: true,
    ids: { poolId: 'Pool' },
    query: { includeGone: 'text' },
  })
  async listPoolVms(
    @Param('poolId', idPipe('Pool')) poolId: NodeKey,
    @Query(inputPipe(listPoolVmsQuery)) query: ListPoolVmsArgs,
  ): Promise<ListBody<PoolVmView>> {
    return toListBody(mapConnection(await this.poolVms.listPoolVms(poolId, query), toPoolVmView));
  }

  @Get('pool-vms/:poolVmId')
  @Operation({
    summary: 'Read a guest as its pool has it',
    permission: 'pools:read',
    returns: poolVmView,
    ids: { poolVmId: 'PoolVm' },
  })
  async getPoolVm(@Param('poolVmId', idPipe('PoolVm')) poolVmId: NodeKey): Promise<PoolVmView> {
    return toPoolVmView(await this.poolVms.getPoolVm(poolVmId));
  }
}

import { Args, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { fromGlobalId, type NodeKey } from '../../kernel/global-id.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { NodeRegistry } from '../../platform/graphql/node-registry.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { type ListPoolVmsArgs, listPoolVmsArgs } from './pool-vm.input.ts';
import { PoolVmService } from './pool-vm.service.ts';
import { type PoolVmView, toPoolVmView } from './pool-vm.view.ts';

@Resolver('Pool')
export class PoolVmResolver {
  constructor(
    private readonly poolVms: PoolVmService,
    nodes: NodeRegistry,
  ) {
    nodes.register('PoolVm', {
      permission: 'pools:read',
      get: async (key) => toPoolVmView(await poolVms.getPoolVm(key)),
    });
  }

  @Query('poolVm')
  @RequiresPermission('pools:read')
  async poolVm(@Args('id', idPipe('PoolVm')) key: NodeKey): Promise<PoolVmView> {
    return toPoolVmView(await this.poolVms.getPoolVm(key));
  }

  @ResolveField('poolVms')
  @RequiresPermission('pools:read')
  async listPoolVms(
    @Parent() pool: { readonly id: string },
    @Args(inputPipe(listPoolVmsArgs)) args: ListPoolVmsArgs,
  ): Promise<Connection<PoolVmView>> {
    return mapConnection(await this.poolVms.listPoolVms(fromGlobalId('Pool', pool.id), args), toPoolVmView);
  }
}

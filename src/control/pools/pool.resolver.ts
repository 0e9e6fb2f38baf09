import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import { type NodeKey, toGlobalId } from '../../kernel/global-id.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { NodeRegistry } from '../../platform/graphql/node-registry.ts';
import { payload, type Payload } from '../../platform/graphql/payload.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { POOL_USER_ERRORS } from './pool.errors.ts';
import * as pool from './pool.input.ts';
import { PoolService } from './pool.service.ts';
import { type PoolView, toPoolView } from './pool.view.ts';

@Resolver()
export class PoolResolver {
  constructor(
    private readonly pools: PoolService,
    nodes: NodeRegistry,
  ) {
    nodes.register('Pool', { permission: 'pools:read', get: async (key) => toPoolView(await pools.getPool(key)) });
  }

  @Query('pool')
  @RequiresPermission('pools:read')
  async pool(@Args('id', idPipe('Pool')) key: NodeKey): Promise<PoolView> {
    return toPoolView(await this.pools.getPool(key));
  }

  @Query('pools')
  @RequiresPermission('pools:read')
  async listPools(@Args(inputPipe(pool.listPoolsArgs)) args: pool.ListPoolsArgs): Promise<Connection<PoolView>> {
    return mapConnection(await this.pools.listPools(args), toPoolView);
  }

  @Mutation('updatePool')
  @RequiresPermission('pools:write')
  async updatePool(
    @Args('input', inputPipe(pool.updatePoolInput)) input: pool.UpdatePoolInput,
  ): Promise<Payload<'pool', PoolView>> {
    return await payload('pool', POOL_USER_ERRORS, this.pools.updatePool(input).then(toPoolView));
  }

  @Mutation('acceptPoolCertificates')
  @RequiresPermission('pools:write')
  async acceptPoolCertificates(
    @Args('input', inputPipe(pool.acceptPoolCertificatesInput)) input: pool.AcceptPoolCertificatesInput,
  ): Promise<Payload<'pool', PoolView>> {
    return await payload('pool', POOL_USER_ERRORS, this.pools.acceptPoolCertificates(input).then(toPoolView));
  }

  @Mutation('deletePool')
  @RequiresPermission('pools:write')
  async deletePool(
    @Args('input', inputPipe(pool.deletePoolInput)) input: pool.DeletePoolInput,
  ): Promise<Payload<'deletedPoolId', string>> {
    const gone = this.pools.deletePool(input).then(({ type, tenantId, id }) => toGlobalId(type, tenantId, id));
    return await payload('deletedPoolId', POOL_USER_ERRORS, gone);
  }
}

import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { NodeKey } from '../../kernel/global-id.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { NodeRegistry } from '../../platform/graphql/node-registry.ts';
import { payload, type Payload } from '../../platform/graphql/payload.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { POOL_GRANT_USER_ERRORS } from './pool-grant.errors.ts';
import * as grant from './pool-grant.input.ts';
import { PoolGrantService } from './pool-grant.service.ts';
import { type PoolGrantView, toPoolGrantView } from './pool-grant.view.ts';

@Resolver()
export class PoolGrantResolver {
  constructor(
    private readonly grants: PoolGrantService,
    nodes: NodeRegistry,
  ) {
    nodes.register('PoolGrant', {
      permission: 'grants:read',
      get: async (key) => toPoolGrantView(await grants.getPoolGrant(key)),
    });
  }

  @Query('poolGrant')
  @RequiresPermission('grants:read')
  async poolGrant(@Args('id', idPipe('PoolGrant')) key: NodeKey): Promise<PoolGrantView> {
    return toPoolGrantView(await this.grants.getPoolGrant(key));
  }

  @Query('poolGrants')
  @RequiresPermission('grants:read')
  async listPoolGrants(
    @Args(inputPipe(grant.listPoolGrantsArgs)) args: grant.ListPoolGrantsArgs,
  ): Promise<Connection<PoolGrantView>> {
    return mapConnection(await this.grants.listPoolGrants(args), toPoolGrantView);
  }

  @Mutation('grantPool')
  @RequiresPermission('grants:write')
  async grantPool(
    @Args('input', inputPipe(grant.grantPoolInput)) input: grant.GrantPoolInput,
  ): Promise<Payload<'poolGrant', PoolGrantView>> {
    const made = this.grants.grantPool(input).then(toPoolGrantView);
    return await payload('poolGrant', POOL_GRANT_USER_ERRORS, made);
  }

  @Mutation('revokePoolGrant')
  @RequiresPermission('grants:write')
  async revokePoolGrant(
    @Args('input', inputPipe(grant.revokePoolGrantInput)) input: grant.RevokePoolGrantInput,
  ): Promise<Payload<'poolGrant', PoolGrantView>> {
    const revoked = this.grants.revokePoolGrant(input).then(toPoolGrantView);
    return await payload('poolGrant', POOL_GRANT_USER_ERRORS, revoked);
  }
}

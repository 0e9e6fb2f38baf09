import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { NodeKey } from '../../kernel/global-id.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { NodeRegistry } from '../../platform/graphql/node-registry.ts';
import { payload, type Payload } from '../../platform/graphql/payload.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { STORAGE_GRANT_USER_ERRORS } from './storage-grant.errors.ts';
import * as grant from './storage-grant.input.ts';
import { StorageGrantService } from './storage-grant.service.ts';
import { type StorageGrantView, toStorageGrantView } from './storage-grant.view.ts';

@Resolver()
export class StorageGrantResolver {
  constructor(
    private readonly grants: StorageGrantService,
    nodes: NodeRegistry,
  ) {
    nodes.register('StorageGrant', {
      permission: 'grants:read',
      get: async (key) => toStorageGrantView(await grants.getStorageGrant(key)),
    });
  }

  @Query('storageGrant')
  @RequiresPermission('grants:read')
  async storageGrant(@Args('id', idPipe('StorageGrant')) key: NodeKey): Promise<StorageGrantView> {
    return toStorageGrantView(await this.grants.getStorageGrant(key));
  }

  @Query('storageGrants')
  @RequiresPermission('grants:read')
  async listStorageGrants(
    @Args(inputPipe(grant.listStorageGrantsArgs)) args: grant.ListStorageGrantsArgs,
  ): Promise<Connection<StorageGrantView>> {
    return mapConnection(await this.grants.listStorageGrants(args), toStorageGrantView);
  }

  @Mutation('grantStorage')
  @RequiresPermission('grants:write')
  async grantStorage(
    @Args('input', inputPipe(grant.grantStorageInput)) input: grant.GrantStorageInput,
  ): Promise<Payload<'storageGrant', StorageGrantView>> {
    const made = this.grants.grantStorage(input).then(toStorageGrantView);
    return await payload('storageGrant', STORAGE_GRANT_USER_ERRORS, made);
  }

  @Mutation('revokeStorageGrant')
  @RequiresPermission('grants:write')
  async revokeStorageGrant(
    @Args('input', inputPipe(grant.revokeStorageGrantInput)) input: grant.RevokeStorageGrantInput,
  ): Promise<Payload<'storageGrant', StorageGrantView>> {
    const revoked = this.grants.revokeStorageGrant(input).then(toStorageGrantView);
    return await payload('storageGrant', STORAGE_GRANT_USER_ERRORS, revoked);
  }
}

import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import { type NodeKey, toGlobalId } from '../../kernel/global-id.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { NodeRegistry } from '../../platform/graphql/node-registry.ts';
import { payload, type Payload } from '../../platform/graphql/payload.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { STORAGE_TARGET_USER_ERRORS } from './storage-target.errors.ts';
import * as target from './storage-target.input.ts';
import { StorageTargetService } from './storage-target.service.ts';
import { type StorageTargetView, toStorageTargetView } from './storage-target.view.ts';

@Resolver()
export class StorageTargetResolver {
  constructor(
    private readonly targets: StorageTargetService,
    nodes: NodeRegistry,
  ) {
    nodes.register('StorageTarget', {
      permission: 'vaults:read',
      get: async (key) => toStorageTargetView(await targets.getStorageTarget(key)),
    });
  }

  @Query('storageTarget')
  @RequiresPermission('vaults:read')
  async storageTarget(@Args('id', idPipe('StorageTarget')) key: NodeKey): Promise<StorageTargetView> {
    return toStorageTargetView(await this.targets.getStorageTarget(key));
  }

  @Query('storageTargets')
  @RequiresPermission('vaults:read')
  async listStorageTargets(
    @Args(inputPipe(target.listStorageTargetsArgs)) args: target.ListStorageTargetsArgs,
  ): Promise<Connection<StorageTargetView>> {
    return mapConnection(await this.targets.listStorageTargets(args), toStorageTargetView);
  }

  @Mutation('createStorageTarget')
  @RequiresPermission('vaults:write')
  async createStorageTarget(
    @Args('input', inputPipe(target.createStorageTargetInput)) input: target.CreateStorageTargetInput,
  ): Promise<Payload<'storageTarget', StorageTargetView>> {
    const made = this.targets.createStorageTarget(input).then(toStorageTargetView);
    return await payload('storageTarget', STORAGE_TARGET_USER_ERRORS, made);
  }

  @Mutation('renameStorageTarget')
  @RequiresPermission('vaults:write')
  async renameStorageTarget(
    @Args('input', inputPipe(target.renameStorageTargetInput)) input: target.RenameStorageTargetInput,
  ): Promise<Payload<'storageTarget', StorageTargetView>> {
    const renamed = this.targets.renameStorageTarget(input).then(toStorageTargetView);
    return await payload('storageTarget', STORAGE_TARGET_USER_ERRORS, renamed);
  }

  @Mutation('deleteStorageTarget')
  @RequiresPermission('vaults:write')
  async deleteStorageTarget(
    @Args('input', inputPipe(target.deleteStorageTargetInput)) input: target.DeleteStorageTargetInput,
  ): Promise<Payload<'deletedStorageTargetId', string>> {
    const gone = this.targets
      .deleteStorageTarget(input)
      .then(({ type, tenantId, id }) => toGlobalId(type, tenantId, id));
    return await payload('deletedStorageTargetId', STORAGE_TARGET_USER_ERRORS, gone);
  }
}

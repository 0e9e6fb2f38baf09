import { Args, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import { fromGlobalId } from '../../kernel/global-id.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { inputPipe } from '../../platform/wire/input-pipe.ts';
import { type PartsArgs, partsArgs } from './pool.input.ts';
import type { PoolView } from './pool.view.ts';
import { PoolPartsService } from './pool-parts.service.ts';
import {
  type HostView,
  type NetworkView,
  type StorageRepositoryView,
  toHostView,
  toNetworkView,
  toStorageRepositoryView,
} from './pool-parts.view.ts';

@Resolver('Pool')
export class PoolPartsResolver {
  constructor(private readonly parts: PoolPartsService) {}

  @ResolveField('hosts')
  @RequiresPermission('pools:read')
  async hosts(@Parent() pool: PoolView, @Args(inputPipe(partsArgs)) page: PartsArgs): Promise<Connection<HostView>> {
    return mapConnection(await this.parts.listHosts(fromGlobalId('Pool', pool.id), page), toHostView);
  }

  @ResolveField('storageRepositories')
  @RequiresPermission('pools:read')
  async storageRepositories(
    @Parent() pool: PoolView,
    @Args(inputPipe(partsArgs)) page: PartsArgs,
  ): Promise<Connection<StorageRepositoryView>> {
    const key = fromGlobalId('Pool', pool.id);
    return mapConnection(await this.parts.listStorageRepositories(key, page), toStorageRepositoryView);
  }

  @ResolveField('networks')
  @RequiresPermission('pools:read')
  async networks(
    @Parent() pool: PoolView,
    @Args(inputPipe(partsArgs)) page: PartsArgs,
  ): Promise<Connection<NetworkView>> {
    return mapConnection(await this.parts.listNetworks(fromGlobalId('Pool', pool.id), page), toNetworkView);
  }
}

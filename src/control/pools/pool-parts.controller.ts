import { Controller, Get, Param, Query } from '@nestjs/common';
import type { NodeKey } from '../../kernel/global-id.ts';
import { type ListBody, mapConnection, toListBody } from '../../platform/paging/connection.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { type PartsArgs, partsQuery } from './pool.input.ts';
import { PoolPartsService } from './pool-parts.service.ts';
import * as view from './pool-parts.view.ts';

@Controller('v1/pools/:poolId')
export class PoolPartsController {
  constructor(private readonly parts: PoolPartsService) {}

  @Get('hosts')
  @Operation({
    summary: "List a pool's hosts, by name",
    permission: 'pools:read',
    returns: view.hostView,
    list: true,
    ids: { poolId: 'Pool' },
  })
  async listHosts(
    @Param('poolId', idPipe('Pool')) poolId: NodeKey,
    @Query(inputPipe(partsQuery)) query: PartsArgs,
  ): Promise<ListBody<view.HostView>> {
    return toListBody(mapConnection(await this.parts.listHosts(poolId, query), view.toHostView));
  }

  @Get('storage-repositories')
  @Operation({
    summary: "List a pool's storage repositories, by name",
    permission: 'pools:read',
    returns: view.storageRepositoryView,
    list: true,
    ids: { poolId: 'Pool' },
  })
  async listStorageRepositories(
    @Param('poolId', idPipe('Pool')) poolId: NodeKey,
    @Query(inputPipe(partsQuery)) query: PartsArgs,
  ): Promise<ListBody<view.StorageRepositoryView>> {
    const found = await this.parts.listStorageRepositories(poolId, query);
    return toListBody(mapConnection(found, view.toStorageRepositoryView));
  }

  @Get('networks')
  @Operation({
    summary: "List a pool's networks, by name",
    permission: 'pools:read',
    returns: view.networkView,
    list: true,
    ids: { poolId: 'Pool' },
  })
  async listNetworks(
    @Param('poolId', idPipe('Pool')) poolId: NodeKey,
    @Query(inputPipe(partsQuery)) query: PartsArgs,
  ): Promise<ListBody<view.NetworkView>> {
    return toListBody(mapConnection(await this.parts.listNetworks(poolId, query), view.toNetworkView));
  }
}

import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import type { NodeKey } from '../../kernel/global-id.ts';
import { type ListBody, mapConnection, toListBody } from '../../platform/paging/connection.ts';
import { IdempotencyKey, IfMatch, OptionalIdempotencyKey } from '../../platform/rest/headers.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import * as grant from './storage-grant.input.ts';
import { StorageGrantService } from './storage-grant.service.ts';
import { storageGrantView, type StorageGrantView, toStorageGrantView } from './storage-grant.view.ts';

@Controller('v1/storage-grants')
export class StorageGrantController {
  constructor(private readonly grants: StorageGrantService) {}

  @Get()
  @Operation({
    summary: 'List the storage grants that a tenant holds, newest first',
    permission: 'grants:read',
    returns: storageGrantView,
    list: true,
    query: { tenantId: 'Tenant' },
  })
  async listStorageGrants(
    @Query(inputPipe(grant.listStorageGrantsQuery)) query: grant.ListStorageGrantsArgs,
  ): Promise<ListBody<StorageGrantView>> {
    return toListBody(mapConnection(await this.grants.listStorageGrants(query), toStorageGrantView));
  }

  @Get(':storageGrantId')
  @Operation({
    summary: 'Read a storage grant',
    permission: 'grants:read',
    returns: storageGrantView,
    ids: { storageGrantId: 'StorageGrant' },
  })
  async getStorageGrant(
    @Param('storageGrantId', idPipe('StorageGrant')) storageGrantId: NodeKey,
  ): Promise<StorageGrantView> {
    return toStorageGrantView(await this.grants.getStorageGrant(storageGrantId));
  }

  @Post()
  @Operation({
    summary: 'Let a tenant keep vaults on a storage target',
    permission: 'grants:write',
    status: 201,
    body: grant.grantStorageBody,
    returns: storageGrantView,
    idempotencyKey: 'required',
  })
  async grantStorage(
    @Body(inputPipe(grant.grantStorageBody)) body: grant.GrantStorageBody,
    @IdempotencyKey() idempotencyKey: string,
  ): Promise<StorageGrantView> {
    return toStorageGrantView(await this.grants.grantStorage({ ...body, idempotencyKey }));
  }

  @Post(':storageGrantId/revoke')
  @HttpCode(200)
  @Operation({
    summary: 'Take a storage grant back',
    permission: 'grants:write',
    returns: storageGrantView,
    ids: { storageGrantId: 'StorageGrant' },
    idempotencyKey: 'optional',
    ifMatch: true,
  })
  async revokeStorageGrant(
    @Param('storageGrantId', idPipe('StorageGrant')) storageGrantId: NodeKey,
    @IfMatch() expectedVersion: number | undefined,
    @OptionalIdempotencyKey() idempotencyKey: string | undefined,
  ): Promise<StorageGrantView> {
    return toStorageGrantView(
      await this.grants.revokeStorageGrant({ storageGrantId, expectedVersion, idempotencyKey }),
    );
  }
}

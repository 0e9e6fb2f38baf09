import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import type { NodeKey } from '../../kernel/global-id.ts';
import { type ListBody, mapConnection, toListBody } from '../../platform/paging/connection.ts';
import { IdempotencyKey, IfMatch, OptionalIdempotencyKey } from '../../platform/rest/headers.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import * as target from './storage-target.input.ts';
import { StorageTargetService } from './storage-target.service.ts';
import { storageTargetView, type StorageTargetView, toStorageTargetView } from './storage-target.view.ts';

@Controller('v1/storage-targets')
export class StorageTargetController {
  constructor(private readonly targets: StorageTargetService) {}

  @Get()
  @Operation({
    summary: 'List the storage targets of a tenant, newest first',
    permission: 'vaults:read',
    returns: storageTargetView,
    list: true,
    query: { tenantId: 'Tenant' },
  })
  async listStorageTargets(
    @Query(inputPipe(target.listStorageTargetsQuery)) query: target.ListStorageTargetsArgs,
  ): Promise<ListBody<StorageTargetView>> {
    return toListBody(mapConnection(await this.targets.listStorageTargets(query), toStorageTargetView));
  }

  @Get(':storageTargetId')
  @Operation({
    summary: 'Read a storage target',
    permission: 'vaults:read',
    returns: storageTargetView,
    ids: { storageTargetId: 'StorageTarget' },
  })
  async getStorageTarget(
    @Param('storageTargetId', idPipe('StorageTarget')) storageTargetId: NodeKey,
  ): Promise<StorageTargetView> {
    return toStorageTargetView(await this.targets.getStorageTarget(storageTargetId));
  }

  @Post()
  @Operation({
    summary: 'Add a storage target',
    permission: 'vaults:write',
    status: 201,
    body: target.createStorageTargetBody,
    returns: storageTargetView,
    idempotencyKey: 'required',
  })
  async createStorageTarget(
    @Body(inputPipe(target.createStorageTargetBody)) body: target.CreateStorageTargetBody,
    @IdempotencyKey() idempotencyKey: string,
  ): Promise<StorageTargetView> {
    return toStorageTargetView(await this.targets.createStorageTarget({ ...body, idempotencyKey }));
  }

  @Patch(':storageTargetId')
  @Operation({
    summary: 'Rename a storage target',
    permission: 'vaults:write',
    body: target.renameStorageTargetBody,
    returns: storageTargetView,
    ids: { storageTargetId: 'StorageTarget' },
    idempotencyKey: 'optional',
    ifMatch: true,
  })
  async renameStorageTarget(
    @Param('storageTargetId', idPipe('StorageTarget')) storageTargetId: NodeKey,
    @Body(inputPipe(target.renameStorageTargetBody)) body: target.RenameStorageTargetBody,
    @IfMatch() expectedVersion: number | undefined,
    @OptionalIdempotencyKey() idempotencyKey: string | undefined,
  ): Promise<StorageTargetView> {
    return toStorageTargetView(
      await this.targets.renameStorageTarget({ ...body, storageTargetId, expectedVersion, idempotencyKey }),
    );
  }

  @Delete(':storageTargetId')
  @HttpCode(204)
  @Operation({
    summary: 'Forget a storage target that nothing refers to; the storage is not touched',
    permission: 'vaults:write',
    status: 204,
    ids: { storageTargetId: 'StorageTarget' },
    idempotencyKey: 'required',
    ifMatch: true,
  })
  async deleteStorageTarget(
    @Param('storageTargetId', idPipe('StorageTarget')) storageTargetId: NodeKey,
    @IfMatch() expectedVersion: number | undefined,
    @IdempotencyKey() idempotencyKey: string,
  ): Promise<void> {
    await this.targets.deleteStorageTarget({ storageTargetId, expectedVersion, idempotencyKey });
  }
}

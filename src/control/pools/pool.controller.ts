import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import type { NodeKey } from '../../kernel/global-id.ts';
import { type ListBody, mapConnection, toListBody } from '../../platform/paging/connection.ts';
import { IdempotencyKey, IfMatch, OptionalIdempotencyKey } from '../../platform/rest/headers.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import * as pool from './pool.input.ts';
import { PoolService } from './pool.service.ts';
import { poolView, type PoolView, toPoolView } from './pool.view.ts';

@Controller('v1/pools')
export class PoolController {
  constructor(private readonly pools: PoolService) {}

  @Get()
  @Operation({
    summary: 'List the pools that belong to a tenant, newest first',
    permission: 'pools:read',
    returns: poolView,
    list: true,
    query: { tenantId: 'Tenant' },
  })
  async listPools(@Query(inputPipe(pool.listPoolsQuery)) query: pool.ListPoolsArgs): Promise<ListBody<PoolView>> {
    return toListBody(mapConnection(await this.pools.listPools(query), toPoolView));
  }

  @Get(':poolId')
  @Operation({ summary: 'Read a pool', permission: 'pools:read', returns: poolView, ids: { poolId: 'Pool' } })
  async getPool(@Param('poolId', idPipe('Pool')) poolId: NodeKey): Promise<PoolView> {
    return toPoolView(await this.pools.getPool(poolId));
  }

  @Patch(':poolId')
  @Operation({
    summary: "Change a pool's name, address or account",
    permission: 'pools:write',
    body: pool.updatePoolBody,
    returns: poolView,
    ids: { poolId: 'Pool' },
    idempotencyKey: 'optional',
    ifMatch: true,
  })
  async updatePool(
    @Param('poolId', idPipe('Pool')) poolId: NodeKey,
    @Body(inputPipe(pool.updatePoolBody)) body: pool.UpdatePoolBody,
    @IfMatch() expectedVersion: number | undefined,
    @OptionalIdempotencyKey() idempotencyKey: string | undefined,
  ): Promise<PoolView> {
    return toPoolView(await this.pools.updatePool({ ...body, poolId, expectedVersion, idempotencyKey }));
  }

  @Post(':poolId/accept-certificates')
  @HttpCode(200)
  @Operation({
    summary: 'Pin certificates that were renewed on purpose',
    permission: 'pools:write',
    body: pool.acceptPoolCertificatesBody,
    returns: poolView,
    ids: { poolId: 'Pool' },
    idempotencyKey: 'optional',
    ifMatch: true,
  })
  async acceptPoolCertificates(
    @Param('poolId', idPipe('Pool')) poolId: NodeKey,
    @Body(inputPipe(pool.acceptPoolCertificatesBody)) body: pool.AcceptPoolCertificatesBody,
    @IfMatch() expectedVersion: number | undefined,
    @OptionalIdempotencyKey() idempotencyKey: string | undefined,
  ): Promise<PoolView> {
    return toPoolView(await this.pools.acceptPoolCertificates({ ...body, poolId, expectedVersion, idempotencyKey }));
  }

  @Delete(':poolId')
  @HttpCode(204)
  @Operation({
    summary: 'Forget a pool that no job works on; the pool itself is not touched',
    permission: 'pools:write',
    status: 204,
    ids: { poolId: 'Pool' },
    idempotencyKey: 'required',
    ifMatch: true,
  })
  async deletePool(
    @Param('poolId', idPipe('Pool')) poolId: NodeKey,
    @IfMatch() expectedVersion: number | undefined,
    @IdempotencyKey() idempotencyKey: string,
  ): Promise<void> {
    await this.pools.deletePool({ poolId, expectedVersion, idempotencyKey });
  }
}

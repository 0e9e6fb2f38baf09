import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import type { NodeKey } from '../../kernel/global-id.ts';
import { type ListBody, mapConnection, toListBody } from '../../platform/paging/connection.ts';
import { IdempotencyKey, IfMatch, OptionalIdempotencyKey } from '../../platform/rest/headers.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import * as grant from './pool-grant.input.ts';
import { PoolGrantService } from './pool-grant.service.ts';
import { poolGrantView, type PoolGrantView, toPoolGrantView } from './pool-grant.view.ts';

@Controller('v1/pool-grants')
export class PoolGrantController {
  constructor(private readonly grants: PoolGrantService) {}

  @Get()
  @Operation({
    summary: 'List the pool grants that a tenant holds, newest first',
    permission: 'grants:read',
    returns: poolGrantView,
    list: true,
    query: { tenantId: 'Tenant' },
  })
  async listPoolGrants(
    @Query(inputPipe(grant.listPoolGrantsQuery)) query: grant.ListPoolGrantsArgs,
  ): Promise<ListBody<PoolGrantView>> {
    return toListBody(mapConnection(await this.grants.listPoolGrants(query), toPoolGrantView));
  }

  @Get(':poolGrantId')
  @Operation({
    summary: 'Read a pool grant',
    permission: 'grants:read',
    returns: poolGrantView,
    ids: { poolGrantId: 'PoolGrant' },
  })
  async getPoolGrant(@Param('poolGrantId', idPipe('PoolGrant')) poolGrantId: NodeKey): Promise<PoolGrantView> {
    return toPoolGrantView(await this.grants.getPoolGrant(poolGrantId));
  }

  @Post()
  @Operation({
    summary: 'Let a tenant restore and replicate into a pool',
    permission: 'grants:write',
    status: 201,
    body: grant.grantPoolBody,
    returns: poolGrantView,
    idempotencyKey: 'required',
  })
  async grantPool(
    @Body(inputPipe(grant.grantPoolBody)) body: grant.GrantPoolBody,
    @IdempotencyKey() idempotencyKey: string,
  ): Promise<PoolGrantView> {
    return toPoolGrantView(await this.grants.grantPool({ ...body, idempotencyKey }));
  }

  @Post(':poolGrantId/revoke')
  @HttpCode(200)
  @Operation({
    summary: 'Take a pool grant back',
    permission: 'grants:write',
    returns: poolGrantView,
    ids: { poolGrantId: 'PoolGrant' },
    idempotencyKey: 'optional',
    ifMatch: true,
  })
  async revokePoolGrant(
    @Param('poolGrantId', idPipe('PoolGrant')) poolGrantId: NodeKey,
    @IfMatch() expectedVersion: number | undefined,
    @OptionalIdempotencyKey() idempotencyKey: string | undefined,
  ): Promise<PoolGrantView> {
    return toPoolGrantView(await this.grants.revokePoolGrant({ poolGrantId, expectedVersion, idempotencyKey }));
  }
}

import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import type { NodeKey } from '../../kernel/global-id.ts';
import { type ListBody, mapConnection, toListBody } from '../../platform/paging/connection.ts';
import { IdempotencyKey, IfMatch } from '../../platform/rest/headers.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import * as token from './token.input.ts';
import { TokenService } from './token.service.ts';
import {
  tokenView,
  tokenWithSecretView,
  toTokenView,
  toTokenWithSecretView,
  type TokenView,
  type TokenWithSecretView,
} from './token.view.ts';

@Controller('v1/tokens')
export class TokenController {
  constructor(private readonly tokens: TokenService) {}

  @Get()
  @Operation({
    summary: 'List the API tokens of a tenant, newest first',
    permission: 'tokens:read',
    returns: tokenView,
    list: true,
    query: { tenantId: 'Tenant' },
  })
  async listTokens(@Query(inputPipe(token.listTokensQuery)) query: token.ListTokensArgs): Promise<ListBody<TokenView>> {
    return toListBody(mapConnection(await this.tokens.listTokens(query), toTokenView));
  }

  @Get(':tokenId')
  @Operation({ summary: 'Read a token', permission: 'tokens:read', returns: tokenView, ids: { tokenId: 'ApiToken' } })
  async getToken(@Param('tokenId', idPipe('ApiToken')) tokenId: NodeKey): Promise<TokenView> {
    return toTokenView(await this.tokens.getToken(tokenId));
  }

  @Post()
  @Operation({
    summary: 'Create a token; its secret is shown this once',
    permission: 'tokens:write',
    status: 201,
    body: token.createTokenBody,
    returns: tokenWithSecretView,
    idempotencyKey: 'required',
  })
  async createToken(
    @Body(inputPipe(token.createTokenBody)) body: token.CreateTokenBody,
    @IdempotencyKey() idempotencyKey: string,
  ): Promise<TokenWithSecretView> {
    return toTokenWithSecretView(await this.tokens.createToken({ ...body, idempotencyKey }));
  }

  @Post(':tokenId/rotate')
  @HttpCode(200)
  @Operation({
    summary: 'Give the token a new secret; the one before stays good for a while',
    permission: 'tokens:write',
    body: token.rotateTokenBody,
    returns: tokenWithSecretView,
    ids: { tokenId: 'ApiToken' },
    idempotencyKey: 'required',
    ifMatch: true,
  })
  async rotateToken(
    @Param('tokenId', idPipe('ApiToken')) tokenId: NodeKey,
    @Body(inputPipe(token.rotateTokenBody)) body: token.RotateTokenBody,
    @IfMatch() expectedVersion: number | undefined,
    @IdempotencyKey() idempotencyKey: string,
  ): Promise<TokenWithSecretView> {
    return toTokenWithSecretView(await this.tokens.rotateToken({ ...body, tokenId, expectedVersion, idempotencyKey }));
  }

  @Post(':tokenId/revoke')
  @HttpCode(200)
  @Operation({
    summary: 'Revoke a token, at once and for good',
    permission: 'tokens:write',
    returns: tokenView,
    ids: { tokenId: 'ApiToken' },
    idempotencyKey: 'required',
    ifMatch: true,
  })
  async revokeToken(
    @Param('tokenId', idPipe('ApiToken')) tokenId: NodeKey,
    @IfMatch() expectedVersion: number | undefined,
    @IdempotencyKey() idempotencyKey: string,
  ): Promise<TokenView> {
    return toTokenView(await this.tokens.revokeToken({ tokenId, expectedVersion, idempotencyKey }));
  }
}

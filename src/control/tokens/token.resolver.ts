import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { NodeKey } from '../../kernel/global-id.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { NodeRegistry } from '../../platform/graphql/node-registry.ts';
import { payload, payloadOf, type Payload, type PayloadOf } from '../../platform/graphql/payload.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { TOKEN_USER_ERRORS } from './token.errors.ts';
import * as token from './token.input.ts';
import { TokenService } from './token.service.ts';
import { toTokenView, toTokenWithSecretView, type TokenView, type TokenWithSecretView } from './token.view.ts';

const NOTHING = { token: null, secret: null };

@Resolver()
export class TokenResolver {
  constructor(
    private readonly tokens: TokenService,
    nodes: NodeRegistry,
  ) {
    nodes.register('ApiToken', {
      permission: 'tokens:read',
      get: async (key) => toTokenView(await tokens.getToken(key)),
    });
  }

  @Query('token')
  @RequiresPermission('tokens:read')
  async token(@Args('id', idPipe('ApiToken')) key: NodeKey): Promise<TokenView> {
    return toTokenView(await this.tokens.getToken(key));
  }

  @Query('tokens')
  @RequiresPermission('tokens:read')
  async listTokens(@Args(inputPipe(token.listTokensArgs)) args: token.ListTokensArgs): Promise<Connection<TokenView>> {
    return mapConnection(await this.tokens.listTokens(args), toTokenView);
  }

  @Mutation('createToken')
  @RequiresPermission('tokens:write')
  async createToken(
    @Args('input', inputPipe(token.createTokenInput)) input: token.CreateTokenInput,
  ): Promise<PayloadOf<TokenWithSecretView>> {
    return await payloadOf<TokenWithSecretView>(
      NOTHING,
      TOKEN_USER_ERRORS,
      this.tokens.createToken(input).then(toTokenWithSecretView),
    );
  }

  @Mutation('rotateToken')
  @RequiresPermission('tokens:write')
  async rotateToken(
    @Args('input', inputPipe(token.rotateTokenInput)) input: token.RotateTokenInput,
  ): Promise<PayloadOf<TokenWithSecretView>> {
    return await payloadOf<TokenWithSecretView>(
      NOTHING,
      TOKEN_USER_ERRORS,
      this.tokens.rotateToken(input).then(toTokenWithSecretView),
    );
  }

  @Mutation('revokeToken')
  @RequiresPermission('tokens:write')
  async revokeToken(
    @Args('input', inputPipe(token.revokeTokenInput)) input: token.RevokeTokenInput,
  ): Promise<Payload<'token', TokenView>> {
    return await payload('token', TOKEN_USER_ERRORS, this.tokens.revokeToken(input).then(toTokenView));
  }
}

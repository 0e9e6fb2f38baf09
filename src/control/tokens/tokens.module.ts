import { Module } from '@nestjs/common';
import { TokenController } from './token.controller.ts';
import { TokenResolver } from './token.resolver.ts';
import { TokenService } from './token.service.ts';

@Module({ controllers: [TokenController], providers: [TokenService, TokenResolver], exports: [TokenService] })
export class TokensModule {}

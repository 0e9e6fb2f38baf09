import { Global, Module, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { BearerStrategy } from './bearer.strategy.ts';
import { FirstStart } from './first-start.ts';
import { PermissionGuard } from './permission.guard.ts';
import { RequestContextMiddleware } from './request-context.middleware.ts';
import { TokenAuthenticator } from './token-authenticator.ts';

/** Who is calling, and whether they may: for processes that answer requests. */
@Global()
@Module({
  providers: [
    TokenAuthenticator,
    FirstStart,
    BearerStrategy,
    RequestContextMiddleware,
    { provide: APP_GUARD, useClass: PermissionGuard },
  ],
  exports: [TokenAuthenticator, FirstStart],
})
export class AuthModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(RequestContextMiddleware).forRoutes('{*path}');
  }
}

import { Module, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import { RequestLogMiddleware } from './request-log.middleware.ts';

/** A line for each answer of an api process. */
@Module({ providers: [RequestLogMiddleware] })
export class RequestLogModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(RequestLogMiddleware).forRoutes('{*path}');
  }
}

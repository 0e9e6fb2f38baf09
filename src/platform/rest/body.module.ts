import { Module, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import { BodyMiddleware } from './body.middleware.ts';

/** Bodies of requests; imported after `LimitsModule`. The process's own body parser has to be off. */
@Module({ providers: [BodyMiddleware] })
export class BodyModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(BodyMiddleware).forRoutes('{*path}');
  }
}

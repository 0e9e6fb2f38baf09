import { Module, type DynamicModule, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import { RATE_LIMITER, RateLimitMiddleware } from './rate-limit.middleware.ts';
import { RateLimiter, type RateLimits } from './rate-limiter.ts';

/** Whether a load balancer may send requests here is asked often, and by few. */
const UNLIMITED = ['healthz', 'readyz'];

/** Limits of an api process; imported after `AuthModule`, whose middleware says who is calling. */
@Module({})
export class LimitsModule implements NestModule {
  static forRoot(limits: RateLimits | undefined): DynamicModule {
    const limiter = limits === undefined ? null : new RateLimiter(limits);
    return { module: LimitsModule, providers: [{ provide: RATE_LIMITER, useValue: limiter }, RateLimitMiddleware] };
  }

  configure(consumer: MiddlewareConsumer): void {
    consumer
      .apply(RateLimitMiddleware)
      .exclude(...UNLIMITED)
      .forRoutes('{*path}');
  }
}

import { Inject, Injectable, type NestMiddleware } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import type { AppError } from '../../kernel/errors.ts';
import { plainAddress } from '../auth/address-list.ts';
import { TenantScope } from '../auth/tenant-scope.ts';
import { formatGraphqlError } from '../graphql/format-error.ts';
import { rateLimitHeaders } from './rate-limit-headers.ts';
import { RateLimiter } from './rate-limiter.ts';

/** Injection token of the process's `RateLimiter`, or null where nothing is limited. */
export const RATE_LIMITER = Symbol('RATE_LIMITER');

/** Says on every answer what is left, and refuses what is too much before anything of it runs. */
@Injectable()
export class RateLimitMiddleware implements NestMiddleware {
  constructor(
    private readonly scope: TenantScope,
    @Inject(RATE_LIMITER) private readonly limiter: RateLimiter | null,
  ) {}

  use(request: Request, response: Response, next: NextFunction): void {
    if (this.limiter === null) {
      next();
      return;
    }
    const { states, refusal } = this.limiter.judge(this.scope.find(), plainAddress(request.ip));
    response.set(rateLimitHeaders(states));
    if (refusal === null) {
      next();
    } else if (request.baseUrl.startsWith('/graphql') || request.path.startsWith('/graphql')) {
      this.#refuseGraphql(request, response, refusal);
    } else {
      throw refusal;
    }
  }

  /** As Apollo would, which is never reached: REST's refusals become problem+json in the filter. */
  #refuseGraphql(request: Request, response: Response, refusal: AppError): void {
    const body = { errors: [formatGraphqlError({ message: refusal.message }, refusal, this.scope.requestId())] };
    const type = request.accepts(['application/json', 'application/graphql-response+json']);
    response.set('Retry-After', String(Math.ceil((refusal.retryAfterMs ?? 0) / 1_000)));
    response.status(429).type(type === false ? 'application/json' : type);
    response.send(JSON.stringify(body));
  }
}

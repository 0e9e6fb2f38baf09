import { randomUUID } from 'node:crypto';
import { Injectable, type NestMiddleware } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import passport from 'passport';
import { TenantScope } from './tenant-scope.ts';
import { actorOf, BearerStrategy } from './bearer.strategy.ts';

const REQUEST_ID = /^[\w.-]{1,100}$/;

/** Gives every request its id and, where a valid credential came with it, its actor. Guards decide what that is worth. */
@Injectable()
export class RequestContextMiddleware implements NestMiddleware {
  readonly #passport = new passport.Passport();

  constructor(
    private readonly scope: TenantScope,
    bearer: BearerStrategy,
  ) {
    this.#passport.use('bearer', bearer.strategy);
  }

  use(request: Request, response: Response, next: NextFunction): void {
    const given = request.get('x-request-id') ?? '';
    const requestId = REQUEST_ID.test(given) ? given : randomUUID();
    response.setHeader('X-Request-Id', requestId);
    const done = (error: unknown, user?: unknown): void => {
      const actor = actorOf(user);
      const proceed = (): void => (error === null || error === undefined ? next() : next(error));
      return actor === null ? this.scope.runAnonymous(requestId, proceed) : this.scope.run(actor, requestId, proceed);
    };
    const handle = this.#passport.authenticate('bearer', { session: false }, done) as (
      request: Request,
      response: Response,
      next: NextFunction,
    ) => void;
    handle(request, response, next);
  }
}

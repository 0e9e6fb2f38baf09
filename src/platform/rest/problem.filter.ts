import { STATUS_CODES } from 'node:http';
import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';
import { AppError } from '../../kernel/errors.ts';
import { TenantScope } from '../auth/tenant-scope.ts';
import { toWireError } from '../wire/wire-error.ts';

const log = new Logger('REST');

/**
 * RFC 9457: what GraphQL says in `extensions`, as application/problem+json. `title` is the status's own name, `detail`
 * what happened, `hint` what to do.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly scope: TenantScope) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    if (host.getType<string>() !== 'http') {
      throw thrown;
    }
    const error = thrown instanceof HttpException ? fromHttp(thrown) : thrown;
    const requestId = this.scope.requestId();
    log.error({ err: error });
    const { message, status, retryAfter, ...rest } = toWireError(error, requestId);
    const response = host.switchToHttp().getResponse<Response>();
    if (response.headersSent) {
      response.end();
      return;
    }
    if (retryAfter !== undefined) {
      response.setHeader('Retry-After', String(retryAfter));
    }
    if (status === 401) {
      response.setHeader('WWW-Authenticate', 'Bearer realm="holdfast"');
    }
    response.status(status).type('application/problem+json');
    response.send(
      JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail: message, ...rest }),
    );
  }
}

/** What Nest and its body parser refuse before a controller is reached. */
function fromHttp(exception: HttpException): AppError {
  const status = exception.getStatus();
  if (status === 404) {
    return new AppError('NOT_FOUND', 'There is nothing at this path.', { hint: 'See /v1/openapi.json.' });
  }
  return status < 500
    ? new AppError('BAD_INPUT', exception.message)
    : new AppError('INTERNAL', exception.message, { cause: exception });
}

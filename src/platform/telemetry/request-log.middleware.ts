import { Injectable, Logger, type NestMiddleware } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';

const log = new Logger('HTTP');

/** One line for each answer, at debug: what was asked, without its query and content, and how it ended. */
@Injectable()
export class RequestLogMiddleware implements NestMiddleware {
  use(request: Request, response: Response, next: NextFunction): void {
    const began = performance.now();
    const { method, originalUrl } = request;
    const [path] = originalUrl.split('?', 1);
    response.once('finish', () => {
      log.debug({
        message: 'answered',
        method,
        path,
        status: response.statusCode,
        ms: Math.round(performance.now() - began),
        requestId: response.getHeader('x-request-id'),
      });
    });
    next();
  }
}

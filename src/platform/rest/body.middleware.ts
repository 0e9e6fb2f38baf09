import { Injectable, type NestMiddleware } from '@nestjs/common';
import { json, type NextFunction, type Request, type Response } from 'express';
import { AppError } from '../../kernel/errors.ts';

/** The longest body of a request, in bytes. */
export const MOST_BODY_BYTES = 1_048_576;

/**
 * Reads JSON bodies, and no others. It comes after the middleware that say who is calling and what is left to them, so
 * that what is refused here carries a request id and the rate limits' headers too.
 */
@Injectable()
export class BodyMiddleware implements NestMiddleware {
  readonly #parse = json({ limit: MOST_BODY_BYTES });

  use(request: Request, response: Response, next: NextFunction): void {
    this.#parse(request, response, (error?: unknown) => {
      if (error === undefined || error === null) {
        next();
      } else {
        next(toBodyError(error));
      }
    });
  }
}

/** The parser's own words quote what was sent, which may be a secret: they are neither shown nor logged. */
function toBodyError(error: unknown): AppError {
  switch (typeOf(error)) {
    case 'entity.too.large': {
      return new AppError('BODY_TOO_LARGE', `The request’s body is longer than ${MOST_BODY_BYTES} bytes.`, {
        data: { mostBytes: MOST_BODY_BYTES },
      });
    }
    case 'entity.parse.failed': {
      return new AppError('BAD_INPUT', 'The request’s body is not a JSON object or array.');
    }
    case 'charset.unsupported':
    case 'encoding.unsupported': {
      return new AppError('BAD_INPUT', 'The request’s body comes in a character set or encoding that is not read.', {
        hint: 'Send UTF-8, plain or as gzip, deflate or br.',
      });
    }
    default: {
      return new AppError('BAD_INPUT', 'The request’s body could not be read to its end.');
    }
  }
}

function typeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'type' in error ? error.type : undefined;
}

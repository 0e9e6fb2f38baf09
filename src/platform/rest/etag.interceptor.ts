import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Response } from 'express';
import { map, type Observable } from 'rxjs';

/** Everything that has a version says it as its ETag, for `If-Match`; `__typename` is GraphQL's and not shown. */
@Injectable()
export class EtagInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType<string>() !== 'http') {
      return next.handle();
    }
    return next.handle().pipe(
      map((body: unknown) => {
        if (typeof body === 'object' && body !== null && 'version' in body && typeof body.version === 'number') {
          context.switchToHttp().getResponse<Response>().setHeader('ETag', `"${body.version}"`);
        }
        return withoutTypename(body);
      }),
    );
  }
}

function withoutTypename(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withoutTypename);
  }
  if (value === null || typeof value !== 'object' || value instanceof Date) {
    return value;
  }
  const entries = Object.entries(value).filter(([key]) => key !== '__typename');
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutTypename(item)]));
}

import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request, Response } from 'express';
import { plainAddress } from '../auth/address-list.ts';
import type { Listener } from './live.ts';

/** The listener behind an HTTP request, for streams and long polls. */
export const HttpListener = createParamDecorator((_: unknown, context: ExecutionContext): Listener => {
  const request = context.switchToHttp().getRequest<Request>();
  const response = context.switchToHttp().getResponse<Response>();
  return {
    token: (request.get('authorization') ?? '').replace(/^Bearer /i, ''),
    address: plainAddress(request.ip),
    requestId: String(response.getHeader('x-request-id') ?? ''),
  };
});

/** Aborted when the client goes away. */
export const ClientGone = createParamDecorator((_: unknown, context: ExecutionContext): AbortSignal => {
  const gone = new AbortController();
  context
    .switchToHttp()
    .getResponse<Response>()
    .once('close', () => {
      gone.abort();
    });
  return gone.signal;
});

import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { AppError } from '../../kernel/errors.ts';

/** `Idempotency-Key`, quoted as the draft has it or plain. */
export const IdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  const key = idempotencyKeyOf(context);
  if (key === undefined) {
    throw new AppError('IDEMPOTENCY_KEY_REQUIRED', 'The header Idempotency-Key is missing.');
  }
  return key;
});

/** The same where it may be left out. */
export const OptionalIdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext) =>
  idempotencyKeyOf(context),
);

/** The version in `If-Match: "3"`; undefined where the header is missing or `*`. */
export const IfMatch = createParamDecorator((_: unknown, context: ExecutionContext): number | undefined => {
  const header = context.switchToHttp().getRequest<Request>().get('if-match');
  if (header === undefined || header === '*') {
    return undefined;
  }
  const version = /^"(\d{1,9})"$/.exec(header)?.[1];
  if (version === undefined) {
    throw new AppError('BAD_INPUT', 'If-Match must hold the ETag of the object, for example "3".');
  }
  return Number(version);
});

function idempotencyKeyOf(context: ExecutionContext): string | undefined {
  const header = context.switchToHttp().getRequest<Request>().get('idempotency-key')?.trim() ?? '';
  const key = /^"(.*)"$/.exec(header)?.[1] ?? header;
  if (key.length > 255) {
    throw new AppError('BAD_INPUT', 'Idempotency-Key is longer than 255 characters.');
  }
  return key === '' ? undefined : key;
}

import { AppError, type ErrorCode } from '../../kernel/errors.ts';

/** Outcomes that a client is expected to handle: they come back as `userErrors`. */
export const WEBHOOK_USER_ERRORS = [
  'WEBHOOK_URL_REFUSED',
  'WEBHOOK_ENDPOINT_NOT_ENABLED',
  'WEBHOOK_DELIVERY_PENDING',
  'VERSION_CONFLICT',
  'TENANT_SUSPENDED',
] as const satisfies readonly ErrorCode[];

export function urlRefused(why: string): AppError {
  return new AppError('WEBHOOK_URL_REFUSED', why, { data: { field: 'url' } });
}

export function endpointNotEnabled(): AppError {
  return new AppError('WEBHOOK_ENDPOINT_NOT_ENABLED', 'The webhook endpoint is not enabled.');
}

export function deliveryPending(): AppError {
  return new AppError('WEBHOOK_DELIVERY_PENDING', 'This delivery is still being attempted.');
}

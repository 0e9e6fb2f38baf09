import { AppError, type ErrorCode } from '../../kernel/errors.ts';

export const TOKEN_USER_ERRORS = [
  'SCOPE_EXCEEDED',
  'TOKEN_REVOKED',
  'VERSION_CONFLICT',
  'TENANT_SUSPENDED',
] as const satisfies readonly ErrorCode[];

export function scopeExceeded(what: string, field: string): AppError {
  return new AppError('SCOPE_EXCEEDED', `The credential that asks does not have ${what} itself.`, { data: { field } });
}

export function tokenRevoked(): AppError {
  return new AppError('TOKEN_REVOKED', 'The token has been revoked.', { data: { field: 'tokenId' } });
}

export function expiryOutOfRange(): AppError {
  return new AppError('BAD_INPUT', 'expiresAt: must lie in the future, at most a year ahead.', {
    data: { paths: ['expiresAt'] },
  });
}

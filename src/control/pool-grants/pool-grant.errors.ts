import { AppError, type ErrorCode } from '../../kernel/errors.ts';

/** What the mutations of this domain expect to happen. */
export const POOL_GRANT_USER_ERRORS = ['VERSION_CONFLICT', 'TENANT_SUSPENDED'] as const satisfies readonly ErrorCode[];

export function grantFromAboveOnly(): AppError {
  return new AppError('FORBIDDEN', 'A pool grant is given and taken back by a tenant above its holder.', {
    hint: 'Ask the tenant that owns the pool.',
  });
}

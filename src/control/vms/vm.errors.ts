import { AppError, type ErrorCode } from '../../kernel/errors.ts';

/** What the mutations of this domain expect to happen. */
export const VM_USER_ERRORS = ['VM_BUSY', 'VM_GONE', 'TENANT_SUSPENDED'] as const satisfies readonly ErrorCode[];

export function vmBusy(name: string): AppError {
  return new AppError('VM_BUSY', `A backup of ${name} is under way; it can't change hands now.`, {
    data: { field: 'poolVmId' },
  });
}

export function vmGone(name: string): AppError {
  return new AppError('VM_GONE', `${name} is no longer in its pool.`, { data: { field: 'poolVmId' } });
}

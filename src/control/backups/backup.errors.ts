import { AppError, type ErrorCode } from '../../kernel/errors.ts';

/** Outcomes that a client is expected to handle: they come back as `userErrors`. */
export const BACKUP_USER_ERRORS = [
  'VM_BUSY',
  'VM_GONE',
  'VAULT_NOT_READY',
  'STORAGE_QUOTA_REACHED',
  'TENANT_SUSPENDED',
] as const satisfies readonly ErrorCode[];

export function vmGone(name: string): AppError {
  return new AppError('VM_GONE', `${name} is no longer in its pool, or belongs to another tenant now.`, {
    data: { field: 'vmId' },
  });
}

export function vaultNotReady(name: string, state: string): AppError {
  return new AppError('VAULT_NOT_READY', `The vault ${name} is ${state}.`, { data: { field: 'vaultId' } });
}

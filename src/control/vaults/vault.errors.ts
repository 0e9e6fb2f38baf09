import { AppError, type ErrorCode } from '../../kernel/errors.ts';

/** What the mutations of this domain expect to happen. */
export const VAULT_USER_ERRORS = [
  'NAME_TAKEN',
  'NO_STORAGE_GRANT',
  'VERSION_CONFLICT',
  'TENANT_SUSPENDED',
] as const satisfies readonly ErrorCode[];

export function vaultNameTaken(name: string): AppError {
  return new AppError('NAME_TAKEN', `Another vault of this tenant is already called ${name}.`, {
    data: { field: 'name' },
  });
}

export function storageGrantRevoked(name: string): AppError {
  return new AppError('NO_STORAGE_GRANT', `The storage grant ${name} was revoked.`, {
    data: { field: 'storageGrantId' },
  });
}

export function storageQuotaReached(used: bigint, quota: bigint): AppError {
  return new AppError('STORAGE_QUOTA_REACHED', `The vaults under this storage grant hold ${used} of ${quota} bytes.`, {
    data: { field: 'vaultId', usedBytes: used.toString(), quotaBytes: quota.toString() },
  });
}

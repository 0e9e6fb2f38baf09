import { AppError, type ErrorCode } from '../../kernel/errors.ts';
import { toGlobalId } from '../../kernel/global-id.ts';
import type { JobRow } from '../jobs/job.entity.ts';

/** What the mutations of this domain expect to happen. */
export const VAULT_USER_ERRORS = [
  'NAME_TAKEN',
  'NO_STORAGE_GRANT',
  'VAULT_CREATION_NOT_FAILED',
  'VERSION_CONFLICT',
  'TENANT_SUSPENDED',
] as const satisfies readonly ErrorCode[];

export function vaultNameTaken(name: string): AppError {
  return new AppError('NAME_TAKEN', `Another vault of this tenant is already called ${name}.`, {
    data: { field: 'name' },
  });
}

export function storageGrantRevoked(name: string, field = 'storageGrantId'): AppError {
  return new AppError('NO_STORAGE_GRANT', `The storage grant ${name} was revoked.`, {
    data: { field },
  });
}

export function vaultIsMade(name: string): AppError {
  return new AppError('VAULT_CREATION_NOT_FAILED', `The vault ${name} has been made.`, { data: { field: 'vaultId' } });
}

export function creationUnderWay({ tenantId, id }: Pick<JobRow, 'tenantId' | 'id'>): AppError {
  const jobId = toGlobalId('Job', tenantId, id);
  return new AppError('VAULT_CREATION_NOT_FAILED', `Job ${jobId} is making the vault.`, {
    data: { field: 'vaultId', jobId },
  });
}

export function storageQuotaReached(used: bigint, quota: bigint): AppError {
  return new AppError('STORAGE_QUOTA_REACHED', `The vaults under this storage grant hold ${used} of ${quota} bytes.`, {
    data: { field: 'vaultId', usedBytes: used.toString(), quotaBytes: quota.toString() },
  });
}

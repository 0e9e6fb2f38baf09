import { AppError, type ErrorCode } from '../../kernel/errors.ts';

/** What the mutations of this domain expect to happen. */
export const STORAGE_TARGET_USER_ERRORS = [
  'NAME_TAKEN',
  'VERSION_CONFLICT',
  'STORAGE_IN_USE',
  'STORAGE_PATH_UNUSABLE',
  'TENANT_SUSPENDED',
] as const satisfies readonly ErrorCode[];

export function storageTargetNameTaken(name: string): AppError {
  return new AppError('NAME_TAKEN', `Another storage target of this tenant is already called ${name}.`, {
    data: { field: 'name' },
  });
}

/** A directory lies on the movers' own machines, beside everybody's vaults and the service's keys. */
export function directoryOfProvider(): AppError {
  return new AppError('FORBIDDEN', 'A directory on the machines of the service is added by the provider only.', {
    hint: 'Ask the provider for a storage grant.',
  });
}

export function storagePathUnusable(path: string, why: string): AppError {
  return new AppError('STORAGE_PATH_UNUSABLE', `The folder ${path} ${why}.`, { data: { field: 'path' } });
}

export function storageInUse(by: 'Vaults' | 'Grants'): AppError {
  return new AppError('STORAGE_IN_USE', `${by} still refer to this storage target.`, {
    data: { field: 'storageTargetId' },
  });
}

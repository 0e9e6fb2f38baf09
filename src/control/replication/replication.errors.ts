import { AppError, type ErrorCode } from '../../kernel/errors.ts';

/** Outcomes that a client is expected to handle: they come back as `userErrors`. */
export const REPLICATION_USER_ERRORS = [
  'NAME_TAKEN',
  'NO_PLACEMENT_GRANT',
  'NO_RESTORE_POINT',
  'VERSION_CONFLICT',
  'TENANT_SUSPENDED',
] as const satisfies readonly ErrorCode[];

export function planNameTaken(name: string): AppError {
  return new AppError('NAME_TAKEN', `Another replication plan of this tenant is already called ${name}.`, {
    data: { field: 'name' },
  });
}

export function noRestorePoint(): AppError {
  return new AppError('NO_RESTORE_POINT', 'The plan’s vault has no such restore point of the plan’s VM.', {
    data: { field: 'restorePointId' },
  });
}

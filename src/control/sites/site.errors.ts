import { AppError, type ErrorCode } from '../../kernel/errors.ts';

/** Outcomes that a client is expected to handle: they come back as `userErrors`. */
export const SITE_USER_ERRORS = [
  'NAME_TAKEN',
  'VERSION_CONFLICT',
  'SITE_IN_USE',
  'TENANT_SUSPENDED',
] as const satisfies readonly ErrorCode[];

export function siteNameTaken(name: string): AppError {
  return new AppError('NAME_TAKEN', `Another site of this tenant is already called ${name}.`, {
    data: { field: 'name' },
  });
}

export function siteInUse(): AppError {
  return new AppError('SITE_IN_USE', 'Pools still belong to this site.', { data: { field: 'siteId' } });
}

import { AppError, type ErrorCode } from '../../kernel/errors.ts';

export const TENANT_USER_ERRORS = [
  'NAME_TAKEN',
  'VERSION_CONFLICT',
  'TENANT_SUSPENDED',
  'TENANT_GOVERNED',
  'CUSTOMER_IS_LEAF',
] as const satisfies readonly ErrorCode[];

export function tenantNameTaken(name: string): AppError {
  return new AppError('NAME_TAKEN', `Another tenant below the same parent is already called ${name}.`, {
    data: { field: 'name' },
  });
}

/** Name, state and billing of a tenant are changed from above only. */
export function tenantGoverned(): AppError {
  return new AppError('TENANT_GOVERNED', 'A tenant cannot change its own record.', { data: { field: 'tenantId' } });
}

export function customerIsLeaf(): AppError {
  return new AppError('CUSTOMER_IS_LEAF', 'A customer has no tenants below it.', { data: { field: 'parentId' } });
}

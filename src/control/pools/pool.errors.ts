import { AppError, type ErrorCode } from '../../kernel/errors.ts';
import { toGlobalId } from '../../kernel/global-id.ts';
import type { PoolRow } from './pool.entity.ts';

/** What the mutations of this domain expect to happen. */
export const POOL_USER_ERRORS = [
  'VERSION_CONFLICT',
  'POOL_IN_USE',
  'POOL_ALREADY_REGISTERED',
  'TENANT_SUSPENDED',
] as const satisfies readonly ErrorCode[];

/** `existing` is a pool of the same tenant. */
export function poolAlreadyRegistered(existing: Pick<PoolRow, 'tenantId' | 'id' | 'name'>, field?: string): AppError {
  return new AppError('POOL_ALREADY_REGISTERED', `This tenant has the pool already, as ${existing.name}.`, {
    data: {
      poolId: toGlobalId('Pool', existing.tenantId, existing.id),
      ...(field === undefined ? {} : { field }),
    },
  });
}

/** Two registrations of one pool came to it at the same moment. */
export function registeredMeanwhile(): AppError {
  return new AppError('POOL_ALREADY_REGISTERED', 'This tenant has the pool already, under another name.');
}

/** Not by name: whoever reads a tenant's jobs need not reach the tenants below it. */
export function poolRegisteredBelow(): AppError {
  return new AppError('POOL_ALREADY_REGISTERED', 'A tenant below this one has registered the pool already.');
}

export function poolInUse(name: string): AppError {
  return new AppError('POOL_IN_USE', `Jobs still work on pool ${name} or on one of its VMs.`, {
    data: { field: 'poolId' },
  });
}

/** The service's own machines are the provider's: nobody else has it knock there. */
export function addressOfService(): AppError {
  return new AppError('BAD_INPUT', 'url: loopback and link-local addresses are refused.', { data: { paths: ['url'] } });
}

/** A stored password goes only where it was given for. */
export function passwordNeeded(): AppError {
  return new AppError('BAD_INPUT', 'password: give it again with another address.', { data: { paths: ['password'] } });
}

/** The address answered with a certificate that none of the pool's hosts owns up to. */
export function strangeCertificate(presentedSha256: string): AppError {
  return new AppError(
    'POOL_CERTIFICATE_CHANGED',
    'The pool was reached through a certificate that none of its hosts is known to have.',
    { data: { presentedSha256 } },
  );
}

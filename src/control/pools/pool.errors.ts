import { AppError, type ErrorCode } from '../../kernel/errors.ts';

/** What the mutations of this domain expect to happen. */
export const POOL_USER_ERRORS = [
  'VERSION_CONFLICT',
  'POOL_IN_USE',
  'TENANT_SUSPENDED',
] as const satisfies readonly ErrorCode[];

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

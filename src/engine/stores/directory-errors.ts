import { AppError, errnoOf, type ErrorCode } from '../../kernel/errors.ts';

const CODE_OF_ERRNO: Readonly<Record<string, ErrorCode>> = {
  EROFS: 'VAULT_READ_ONLY',
  EACCES: 'VAULT_READ_ONLY',
  EPERM: 'VAULT_READ_ONLY',
  ENOSPC: 'VAULT_FULL',
  EDQUOT: 'VAULT_FULL',
  EFBIG: 'VAULT_FULL',
};

/** What a failing system call on a vault's directory means. Other failures of the file system may pass. */
export function toStoreError(error: unknown, what: string, directory: string): AppError {
  if (error instanceof AppError) {
    return error;
  }
  const errno = errnoOf(error);
  const code = CODE_OF_ERRNO[errno ?? ''] ?? 'VAULT_UNREACHABLE';
  return new AppError(code, `Could not ${what} in the vault at ${directory}: ${errno ?? String(error)}.`, {
    data: { directory, errno: errno ?? null },
    cause: error,
  });
}

import { AppError, errnoOf, type ErrorCode } from '../../kernel/errors.ts';

const CODE_OF_ERRNO: Readonly<Record<string, ErrorCode>> = {
  EROFS: 'VAULT_READ_ONLY',
  EACCES: 'VAULT_READ_ONLY',
  EPERM: 'VAULT_READ_ONLY',
  ENOSPC: 'VAULT_FULL',
  EDQUOT: 'VAULT_FULL',
  EFBIG: 'VAULT_FULL',
};

/** Beginnings of what is done to an object or folder without a change to it. */
const READS = /^(?:read|list|look for|find) /;

/**
 * What a failing system call on a vault's directory means. Other failures of the file system may pass. `object`: the one
 * that was to be read, if any; its disk's errors are its own then, and what can't be written is damage of nothing.
 */
export function toStoreError(error: unknown, what: string, directory: string, object?: string): AppError {
  if (error instanceof AppError) {
    return error;
  }
  const errno = errnoOf(error);
  const code = CODE_OF_ERRNO[errno ?? ''] ?? 'VAULT_UNREACHABLE';
  const hint = `Give the user that this runs as permission to read ${directory} and all that lies in it.`;
  return new AppError(code, `Could not ${what} in the vault at ${directory}: ${errno ?? String(error)}.`, {
    ...(code === 'VAULT_READ_ONLY' && READS.test(what) ? { hint } : {}),
    data: { directory, errno: errno ?? null, ...(object === undefined ? {} : { object }) },
    cause: error,
  });
}

/** What system calls say of a name at which there is a link, a folder, a pipe or a socket, or can be nothing at all. */
const NO_FILE: ReadonlySet<string | undefined> = new Set([
  'ELOOP',
  'EISDIR',
  'ESPIPE',
  'ENXIO',
  'ENODEV',
  'ENAMETOOLONG',
]);

/** Some of them are also said of regular files, on a device that is away or below a link that nothing is mounted at. */
export function isOfNoFile(error: unknown): boolean {
  return NO_FILE.has(errnoOf(error));
}

/** Whether a name is one that no file can have. */
export function isOfNoName(error: unknown): boolean {
  return errnoOf(error) === 'ENAMETOOLONG';
}

/** Damage of that one object. */
export function noRegularFile(name: string, directory: string, cause?: unknown): AppError {
  return new AppError('VAULT_CORRUPT', `${name} in the vault at ${directory} is no regular file.`, {
    hint: 'Look who put it there, and remove it; then verify the vault.',
    data: { object: name, directory },
    cause,
  });
}

export function isMissing(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOENT' || errno === 'ENOTDIR';
}

/** Throws what says something else than that there is nothing. */
export function ignoreMissing(error: unknown): undefined {
  if (!isMissing(error)) {
    throw error;
  }
  return undefined;
}

import { AppError } from '../../kernel/errors.ts';
import type { ErrorKind } from '../../kernel/errors.ts';
import type { LogLevel } from './log-level.ts';
import { scrub, scrubMessage, scrubText } from './scrub.ts';

const LEVEL: Record<ErrorKind, LogLevel> = {
  bug: 'error',
  corrupt: 'error',
  unavailable: 'warn',
  unauthenticated: 'info',
  forbidden: 'info',
  quota: 'debug',
  invalid: 'debug',
  not_found: 'debug',
  conflict: 'debug',
  cancelled: 'debug',
};

const MOST_CAUSES = 4;

/** How loud an error is: its kind says; undefined where it is none of ours, and whoever logs it decides. */
export function levelOf(thrown: unknown): LogLevel | undefined {
  return thrown instanceof AppError ? LEVEL[thrown.kind] : undefined;
}

/**
 * An error as a log line holds it: by name only what is known to be harmless, since drivers hang statements, rows and
 * requests on theirs. Where somebody has to find a mistake of ours, with the stack.
 */
export function describeError(thrown: unknown, causes = 0): unknown {
  if (!(thrown instanceof Error)) {
    return scrub(thrown);
  }
  const cause = causes < MOST_CAUSES ? thrown.cause : undefined;
  return {
    type: thrown.name,
    message: scrubMessage(thrown),
    ...factsOf(thrown),
    ...(cause === undefined ? {} : { cause: describeError(cause, causes + 1) }),
  };
}

function factsOf(error: Error): object {
  const stack = scrubText((error.stack ?? '').replace(error.message, () => scrubMessage(error)));
  if (error instanceof AppError) {
    const { code, kind, data } = error;
    return { code, kind, data: scrub(data), ...(LEVEL[kind] === 'error' ? { stack } : {}) };
  }
  return 'code' in error && typeof error.code === 'string' ? { code: error.code, stack } : { stack };
}

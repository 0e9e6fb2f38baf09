import { ERROR_CODES, type ErrorCode, type ErrorKind } from './error-codes.ts';

export type { ErrorCode, ErrorKind } from './error-codes.ts';

/** Facts about a failure that are safe to show its owner: names, ids, numbers. Never secrets. */
export type ErrorData = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

export interface AppErrorOptions {
  readonly hint?: string;
  readonly data?: ErrorData;
  readonly cause?: unknown;
  /** The source said when to come back, in milliseconds. */
  readonly retryAfterMs?: number;
}

/**
 * The one error of Holdfast. `message` says what happened, to what; `hint` says what to do.
 * Its kind, taken from the table of codes, decides everything else.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly hint: string;
  readonly data: ErrorData;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? ERROR_CODES[code].hint;
    this.data = options.data ?? {};
    this.retryAfterMs = options.retryAfterMs;
  }

  get kind(): ErrorKind {
    return ERROR_CODES[this.code].kind;
  }

  /** Only what is unavailable may be better later; everything else fails the same way again. */
  get retryable(): boolean {
    return this.kind === 'unavailable';
  }
}

export function isAppError(error: unknown, ...codes: readonly ErrorCode[]): error is AppError {
  return error instanceof AppError && (codes.length === 0 || codes.includes(error.code));
}

/** The one funnel from an unknown thrown value to an AppError; keeps AppErrors as they are. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) {
    return error;
  }
  if (error instanceof Error && error.name === 'AbortError') {
    return new AppError('CANCELLED', error.message, { cause: error });
  }
  return new AppError('INTERNAL', error instanceof Error ? error.message : String(error), { cause: error });
}

/** Node's errno of a system error, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return undefined;
}

/** For switch statements that must name every case. */
export function assertNever(value: never, what = 'value'): never {
  throw new AppError('INTERNAL', `Unexpected ${what}: ${JSON.stringify(value)}`);
}

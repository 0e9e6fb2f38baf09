import type { ErrorCode, ErrorData, ErrorKind } from '../../kernel/errors.ts';
import { toAppError } from '../../kernel/errors.ts';

/** What a client is told about a failure, in GraphQL's `extensions` and in problem+json alike. */
export interface WireError {
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly message: string;
  readonly hint: string;
  readonly retryable: boolean;
  readonly requestId: string | null;
  readonly data?: ErrorData;
  /** Seconds. */
  readonly retryAfter?: number;
  /** The HTTP status of REST. */
  readonly status: number;
}

const STATUS: Record<ErrorKind, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  quota: 429,
  unavailable: 503,
  corrupt: 500,
  cancelled: 409,
  bug: 500,
};

const STATUS_OF_CODE: Partial<Record<ErrorCode, number>> = {
  BODY_TOO_LARGE: 413,
  IDEMPOTENCY_KEY_REUSED: 422,
  VERSION_CONFLICT: 412,
};

/** The one mapper to the wire. Of our own mistakes a client learns the request id and nothing else. */
export function toWireError(thrown: unknown, requestId: string | null): WireError {
  const error = toAppError(thrown);
  const bug = error.kind === 'bug';
  return {
    code: error.code,
    kind: error.kind,
    message: bug ? 'Something went wrong on our side.' : error.message,
    hint: error.hint,
    retryable: error.retryable,
    requestId,
    ...(bug || Object.keys(error.data).length === 0 ? {} : { data: error.data }),
    ...(error.retryAfterMs === undefined ? {} : { retryAfter: Math.ceil(error.retryAfterMs / 1000) }),
    status: STATUS_OF_CODE[error.code] ?? STATUS[error.kind],
  };
}

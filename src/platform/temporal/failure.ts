import { ActivityFailure, ApplicationFailure, CancelledFailure, ChildWorkflowFailure } from '@temporalio/common';
import { ERROR_CODES } from '../../kernel/error-codes.ts';
import { AppError, toAppError, type ErrorCode, type ErrorData } from '../../kernel/errors.ts';

/** What lies first in a failure's details. */
interface FailureDetail {
  readonly hint: string;
  readonly data: ErrorData;
}

/** The one mapper to Temporal: the type is the code, and the kind alone decides whether the activity runs again. */
export function toFailure(thrown: unknown): Error {
  if (thrown instanceof ApplicationFailure || thrown instanceof CancelledFailure) {
    return thrown;
  }
  const error = toAppError(thrown);
  const detail: FailureDetail = { hint: error.hint, data: error.data };
  return ApplicationFailure.create({
    type: error.code,
    message: error.message,
    nonRetryable: !error.retryable,
    details: [detail],
    ...(error.retryAfterMs === undefined ? {} : { nextRetryDelay: error.retryAfterMs }),
    ...(error.cause instanceof Error ? { cause: error.cause } : {}),
  });
}

/** The way back: what a workflow or activity failed with, as it was thrown. */
export function fromFailure(failure: unknown): AppError {
  if (failure instanceof ActivityFailure || failure instanceof ChildWorkflowFailure) {
    return fromFailure(failure.cause);
  }
  if (failure instanceof ApplicationFailure && isErrorCode(failure.type)) {
    const { hint, data } = (failure.details?.[0] ?? {}) as Partial<FailureDetail>;
    return new AppError(failure.type, failure.message, {
      cause: failure,
      ...(hint === undefined ? {} : { hint }),
      ...(data === undefined ? {} : { data }),
    });
  }
  if (failure instanceof CancelledFailure) {
    return new AppError('CANCELLED', 'The operation was cancelled.', { cause: failure });
  }
  return toAppError(failure);
}

function isErrorCode(type: string | undefined | null): type is ErrorCode {
  return typeof type === 'string' && Object.hasOwn(ERROR_CODES, type);
}

import { AppError } from './errors.ts';

/** Throws `abortReason` once the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw abortReason(signal);
  }
}

/** Why an aborted signal ends an operation: its own reason where that is ours, else CANCELLED with it as cause. */
export function abortReason({ reason }: AbortSignal): AppError {
  return reason instanceof AppError
    ? reason
    : new AppError('CANCELLED', 'The operation was cancelled.', { cause: reason });
}

import { AppError } from './errors.ts';

/** Throws CANCELLED, with the signal's reason as cause, once the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw signal.reason instanceof AppError
      ? signal.reason
      : new AppError('CANCELLED', 'The operation was cancelled.', { cause: signal.reason });
  }
}

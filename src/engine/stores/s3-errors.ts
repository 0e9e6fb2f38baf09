import { AppError, errnoOf, type ErrorCode } from '../../kernel/errors.ts';

/** What an answer of an object store, or the lack of one, says. */
export interface S3Fault {
  /** S3's own code, the errno of the connection, or the name of the error. */
  readonly reason: string;
  /** The HTTP status; null if there was no answer. */
  readonly status: number | null;
  /** Whether the same request may well succeed in a moment. */
  readonly passing: boolean;
  /** When the server wants to be asked again; null if it didn't say. */
  readonly retryAfterMs: number | null;
}

/** Passing whatever the status: the request was damaged or delayed on its way, or met another one at the same name. */
const PASSING = new Set([
  'SlowDown',
  'RequestTimeout',
  'IncompleteBody',
  'BadDigest',
  'XAmzContentSHA256Mismatch',
  'ConditionalRequestConflict',
  'OperationAborted',
]);
const FULL = new Set(['QuotaExceeded', 'InsufficientCapacity', 'XMinioStorageFull', 'XMinioAdminBucketQuotaExceeded']);
const UNAUTHENTICATED = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'InvalidToken',
  'RequestTimeTooSkewed',
  'AuthorizationHeaderMalformed',
  // versitygw's, with status 404
  'XAdminUserNotFound',
]);
const TIMED_OUT = 'TimeoutError';
const LONGEST_RETRY_AFTER_MS = 60_000;

/** A fault that no code of S3 stands for, and that the next try will not meet again. */
export class PassingFault extends Error {
  override readonly name = 'PassingFault';
}

export function readFault(error: unknown): S3Fault {
  const status = statusOf(error);
  const reason = reasonOf(error, status);
  return { reason, status, passing: isPassing(error, reason, status), retryAfterMs: retryAfterOf(error) };
}

export type S3Action = 'write' | 'read';

export interface S3Attempted {
  /** For the message: `write data/00/…`. */
  readonly what: string;
  readonly action: S3Action;
  /** The store's description. */
  readonly place: string;
  readonly attempts: number;
}

/** The SDK's error is left behind: it carries the request, and with it credentials and signatures. */
export function toS3StoreError(error: unknown, attempted: S3Attempted): AppError {
  if (error instanceof AppError) {
    return error;
  }
  const { reason, status } = readFault(error);
  const { what, place, attempts } = attempted;
  const code = codeOf(reason, status, attempted.action);
  const times = attempts > 1 ? `, ${attempts} times` : '';
  return new AppError(code, `Could not ${what} in the vault at ${place}: ${reason}${times}.`, {
    data: { place, reason, status, attempts },
    ...(reason === 'RequestTimeTooSkewed' ? { hint: 'Set the clock of the machine that the mover runs on.' } : {}),
    ...(reason === 'NoSuchBucket' ? { hint: 'Create the bucket, or correct its name on the storage target.' } : {}),
  });
}

function codeOf(reason: string, status: number | null, action: S3Action): ErrorCode {
  if (FULL.has(reason) || status === 507) {
    return 'VAULT_FULL';
  }
  if (UNAUTHENTICATED.has(reason) || status === 401) {
    return 'VAULT_ACCESS_DENIED';
  }
  if (status === 403 || status === 405) {
    return action === 'write' ? 'VAULT_READ_ONLY' : 'VAULT_ACCESS_DENIED';
  }
  return 'VAULT_UNREACHABLE';
}

function isPassing(error: unknown, reason: string, status: number | null): boolean {
  if (FULL.has(reason) || status === 507) {
    return false;
  }
  if (status === null) {
    // No answer at all: a connection that broke or was given up. What isn't of the connection is a fault of ours.
    return errnoOf(error) !== undefined || reason === TIMED_OUT || error instanceof PassingFault;
  }
  return PASSING.has(reason) || status === 429 || status >= 500 || isUnreadable(error, status);
}

/** An answer that broke off: the status was good, its text was not. */
function isUnreadable(error: unknown, status: number): boolean {
  return status < 300 && error instanceof Error;
}

function statusOf(error: unknown): number | null {
  if (typeof error === 'object' && error !== null && '$metadata' in error) {
    const status = (error.$metadata as { readonly httpStatusCode?: unknown }).httpStatusCode;
    return typeof status === 'number' ? status : null;
  }
  return null;
}

function reasonOf(error: unknown, status: number | null): string {
  const errno = status === null ? errnoOf(error) : undefined;
  if (errno !== undefined) {
    return errno;
  }
  if (error instanceof PassingFault) {
    return error.message;
  }
  const name = error instanceof Error ? error.name : 'unknown error';
  if (name === 'AbortError') {
    return TIMED_OUT; // who gives up a put, or a read, never asks what it failed of
  }
  // HEAD has no body to say why: the SDK then names the error after the status, or not at all.
  return status !== null && (name === 'Error' || name === 'Unknown') ? `HTTP ${status}` : name;
}

function retryAfterOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('$response' in error)) {
    return null;
  }
  const { headers } = error.$response as { readonly headers?: Readonly<Record<string, string>> };
  const seconds = Number(headers?.['retry-after'] ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, LONGEST_RETRY_AFTER_MS) : null;
}

import { AppError, type ErrorCode } from '../kernel/errors.ts';

/** An error as XAPI states it: a code and positional parameters. */
export interface XapiFailure {
  readonly code: string;
  readonly params: readonly string[];
}

/** XAPI's codes on the left (xapi-consts/api_errors.ml and SM's XE_SR_ERRORCODES), Holdfast's on the right. */
const TRANSLATIONS: Readonly<Record<string, ErrorCode>> = {
  SESSION_AUTHENTICATION_FAILED: 'POOL_AUTH_FAILED',
  SESSION_AUTHORIZATION_FAILED: 'POOL_AUTH_FAILED',
  SESSION_INVALID: 'POOL_UNREACHABLE',
  RBAC_PERMISSION_DENIED: 'POOL_PERMISSION_DENIED',
  PERMISSION_DENIED: 'POOL_PERMISSION_DENIED',
  HOST_IS_SLAVE: 'POOL_UNREACHABLE',
  HOST_STILL_BOOTING: 'POOL_UNREACHABLE',
  HOST_OFFLINE: 'POOL_UNREACHABLE',
  HOST_NOT_LIVE: 'POOL_UNREACHABLE',
  CANNOT_CONTACT_HOST: 'POOL_UNREACHABLE',
  TOO_MANY_PENDING_TASKS: 'POOL_BUSY',
  TOO_BUSY: 'POOL_BUSY',
  OTHER_OPERATION_IN_PROGRESS: 'POOL_BUSY',
  NOT_SUPPORTED_DURING_UPGRADE: 'POOL_BUSY',
  VDI_IN_USE: 'VDI_BUSY',
  SR_BACKEND_FAILURE_24: 'VDI_BUSY',
  SR_BACKEND_FAILURE_46: 'VDI_BUSY',
  SR_FULL: 'SR_FULL',
  SR_BACKEND_FAILURE_44: 'SR_FULL',
  SR_BACKEND_FAILURE_109: 'SNAPSHOT_CHAIN_TOO_LONG',
  VDI_NO_CBT_METADATA: 'CHANGED_BLOCKS_UNAVAILABLE',
  VDI_INCOMPATIBLE_TYPE: 'CHANGED_BLOCKS_UNAVAILABLE',
  VDI_CBT_SNAPSHOT_FAILED: 'CHANGED_BLOCKS_UNAVAILABLE',
  SR_BACKEND_FAILURE_457: 'CHANGED_BLOCKS_UNAVAILABLE',
  SR_BACKEND_FAILURE_458: 'CHANGED_BLOCKS_UNAVAILABLE',
  SR_BACKEND_FAILURE_459: 'CHANGED_BLOCKS_UNAVAILABLE',
  SR_BACKEND_FAILURE_460: 'CHANGED_BLOCKS_UNAVAILABLE',
  LICENCE_RESTRICTION: 'LICENCE_RESTRICTION',
  TASK_CANCELLED: 'CANCELLED',
};

/** The one translation of XAPI's errors; what it doesn't know becomes XAPI_FAILED with the code and its parameters. */
export function fromXapiFailure(failure: XapiFailure, during: string, cause?: unknown): AppError {
  const goneVm = isGone(failure) && failure.params[0]?.toUpperCase() === 'VM';
  const code = goneVm ? 'VM_GONE' : (TRANSLATIONS[failure.code] ?? 'XAPI_FAILED');
  return new AppError(code, `${during}: the pool answered ${failure.code}${listed(failure)}.`, {
    data: { xapiCode: failure.code, xapiParams: withoutSecrets(failure), during },
    cause,
  });
}

/** The XAPI code behind a translated error, or undefined. */
export function xapiCodeOf(error: unknown): string | undefined {
  const code = error instanceof AppError ? error.data['xapiCode'] : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** True where the error says that the object itself no longer exists: success for whoever wanted to destroy it. */
export function isObjectGone(error: unknown): boolean {
  const code = xapiCodeOf(error);
  return code === 'HANDLE_INVALID' || code === 'UUID_INVALID' || code === 'VDI_MISSING';
}

function isGone(failure: XapiFailure): boolean {
  return failure.code === 'HANDLE_INVALID' || failure.code === 'UUID_INVALID';
}

function listed(failure: XapiFailure): string {
  const params = withoutSecrets(failure).filter((param) => param !== '');
  return params.length === 0 ? '' : ` (${params.join(', ')})`;
}

/** A session ref is a bearer secret, and some errors quote it. */
function withoutSecrets(failure: XapiFailure): readonly string[] {
  return failure.code === 'SESSION_INVALID' ? [] : failure.params.map((param) => redact(param));
}

function redact(param: string): string {
  return param.replaceAll(/session_id=[^&\s"]+/g, 'session_id=…').slice(0, 500);
}

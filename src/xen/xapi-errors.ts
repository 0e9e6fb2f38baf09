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
  // Trying again would not help: something about the VM, its disks or its storage forbids the operation.
  VM_HAS_VUSBS: 'METHOD_NOT_SUPPORTED',
  VM_HAS_PCI_ATTACHED: 'METHOD_NOT_SUPPORTED',
  VM_LACKS_FEATURE: 'METHOD_NOT_SUPPORTED',
  VM_IS_TEMPLATE: 'METHOD_NOT_SUPPORTED',
  VM_IS_SNAPSHOT: 'METHOD_NOT_SUPPORTED',
  VDI_IS_SHARABLE: 'METHOD_NOT_SUPPORTED',
  VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION: 'METHOD_NOT_SUPPORTED',
  SR_OPERATION_NOT_SUPPORTED: 'METHOD_NOT_SUPPORTED',
  OPERATION_NOT_ALLOWED: 'METHOD_NOT_SUPPORTED',
  OPERATION_BLOCKED: 'METHOD_NOT_SUPPORTED',
  MESSAGE_REMOVED: 'METHOD_NOT_SUPPORTED',
  MESSAGE_METHOD_UNKNOWN: 'METHOD_NOT_SUPPORTED',
  NOT_IMPLEMENTED: 'METHOD_NOT_SUPPORTED',
};

/** The one translation of XAPI's errors; what it doesn't know becomes XAPI_FAILED with the code and its parameters. */
export function fromXapiFailure(failure: XapiFailure, during: string, cause?: unknown): AppError {
  const code = goneCodeOf(failure) ?? TRANSLATIONS[failure.code] ?? 'XAPI_FAILED';
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

/** What it was that no longer exists, where it is something that a user knows. */
function goneCodeOf({ code, params }: XapiFailure): ErrorCode | undefined {
  if (code !== 'HANDLE_INVALID' && code !== 'UUID_INVALID') {
    return undefined;
  }
  const gone: Readonly<Record<string, ErrorCode>> = { VM: 'VM_GONE', VDI: 'DISK_GONE' };
  return gone[params[0]?.toUpperCase() ?? ''];
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

/** What kind of failure it is. The kind alone decides the HTTP status, whether Temporal retries, and how loud the log is. */
export type ErrorKind =
  | 'invalid'
  | 'not_found'
  | 'conflict'
  | 'forbidden'
  | 'unauthenticated'
  | 'quota'
  | 'unavailable'
  | 'corrupt'
  | 'cancelled'
  | 'bug';

interface CodeEntry {
  readonly kind: ErrorKind;
  /** Shown to whoever meets the error when the thrower gave no better hint: what to do next. */
  readonly hint: string;
}

/** The closed list of error codes. `docs/errors.md` is generated from it (`npm run gen:errors`). */
export const ERROR_CODES = {
  // requests
  BAD_INPUT: { kind: 'invalid', hint: 'Correct the named input and send the request again.' },
  BODY_TOO_LARGE: { kind: 'invalid', hint: 'Send less at once.' },
  BAD_CURSOR: {
    kind: 'invalid',
    hint: 'Start again from the first page: cursors belong to one tenant, filter and sort.',
  },
  IDEMPOTENCY_KEY_REQUIRED: {
    kind: 'invalid',
    hint: 'Send an idempotency key that is unique for this intent, for example a UUID.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    kind: 'invalid',
    hint: 'Use a new idempotency key for a request that differs from the first one.',
  },
  IDEMPOTENCY_IN_PROGRESS: {
    kind: 'conflict',
    hint: 'The first request with this key is still running; ask again in a moment.',
  },
  UNAUTHENTICATED: { kind: 'unauthenticated', hint: 'Send a valid API token as "Authorization: Bearer hf_live_…".' },
  FORBIDDEN: {
    kind: 'forbidden',
    hint: 'Ask an administrator of the tenant for a role or token scope that allows this.',
  },
  NOT_FOUND: { kind: 'not_found', hint: 'Check the id; it does not exist or is not visible to this credential.' },
  VERSION_CONFLICT: { kind: 'conflict', hint: 'Read the object again and repeat the change on its current version.' },
  RATE_LIMITED: { kind: 'quota', hint: 'Wait for the time named in Retry-After.' },
  COST_EXCEEDED: { kind: 'quota', hint: 'Ask for fewer objects or a shallower selection.' },
  SITE_IN_USE: { kind: 'conflict', hint: 'Remove the site’s pools first.' },
  NAME_TAKEN: { kind: 'conflict', hint: 'Choose another name.' },
  TENANT_SUSPENDED: { kind: 'forbidden', hint: 'The tenant is suspended; its provider can resume it.' },
  TENANT_GOVERNED: { kind: 'forbidden', hint: 'Ask the tenant above this one to make the change.' },
  CUSTOMER_IS_LEAF: { kind: 'invalid', hint: 'Create the tenant below a partner or the provider.' },
  SCOPE_EXCEEDED: {
    kind: 'forbidden',
    hint: 'Give the token only permissions and reach that the credential creating it has.',
  },
  TOKEN_REVOKED: { kind: 'conflict', hint: 'Create a new token.' },
  // jobs
  VM_BUSY: { kind: 'conflict', hint: 'Wait for the VM’s active job to end, or cancel it.' },
  JOB_NOT_CANCELLABLE: { kind: 'conflict', hint: 'The job has already ended.' },
  JOB_STATE_CONFLICT: { kind: 'conflict', hint: 'Another attempt of this job has taken over; nothing to do.' },
  MOVER_ABSENT: { kind: 'unavailable', hint: 'Start a mover that serves the site, then start the job again.' },
  MOVER_LOST: { kind: 'unavailable', hint: 'Look into the mover’s log for why it ended, then start the job again.' },
  STEP_TIMED_OUT: {
    kind: 'unavailable',
    hint: 'Look for what was slow in the pool or the vault, then start the job again.',
  },
  JOB_INTERRUPTED: { kind: 'unavailable', hint: 'Nothing of it was kept; start the job again.' },
  JOB_CANCELLED: { kind: 'cancelled', hint: 'Start the job again when you want it.' },
  NO_PLACEMENT_GRANT: {
    kind: 'forbidden',
    hint: 'Ask the provider for a grant on that pool, storage repository and networks.',
  },
  METHOD_NOT_SUPPORTED: { kind: 'invalid', hint: 'Choose a backup method that this pool and VM support.' },
  RESTORE_POINT_IN_USE: { kind: 'conflict', hint: 'Wait until the jobs that read it have ended.' },
  NO_RESTORE_POINT: { kind: 'conflict', hint: 'Back the VM up first.' },
  NETWORK_NOT_MAPPED: { kind: 'invalid', hint: 'Map every network of the VM to a network of the target pool.' },
  // webhooks
  WEBHOOK_URL_REFUSED: {
    kind: 'invalid',
    hint: 'Give a public https URL, or let the operator list the receiver’s address in HOLDFAST_WEBHOOK_ALLOW.',
  },
  WEBHOOK_ENDPOINT_NOT_ENABLED: { kind: 'conflict', hint: 'Enable the webhook endpoint first.' },
  WEBHOOK_DELIVERY_PENDING: { kind: 'conflict', hint: 'Wait until its attempts have ended.' },
  // pools
  POOL_UNREACHABLE: { kind: 'unavailable', hint: 'Check that the pool’s address answers from the mover’s site.' },
  POOL_ADDRESS_REFUSED: {
    kind: 'forbidden',
    hint: 'Give an address of the pool’s own hosts: not loopback, link-local, or a machine that Holdfast runs on.',
  },
  POOL_AUTH_FAILED: { kind: 'invalid', hint: 'Update the pool’s user name and password.' },
  POOL_PERMISSION_DENIED: { kind: 'forbidden', hint: 'Give the pool account at least the vm-power-admin role.' },
  POOL_CERTIFICATE_CHANGED: {
    kind: 'forbidden',
    hint: 'If the host’s certificate was renewed on purpose, accept the new one on the pool.',
  },
  POOL_BUSY: { kind: 'unavailable', hint: 'The pool has too much to do at the moment; it is tried again.' },
  POOL_ALREADY_REGISTERED: {
    kind: 'conflict',
    hint: 'Use the registration that is there, or delete one of the two.',
  },
  POOL_IN_USE: {
    kind: 'conflict',
    hint: 'Wait until the jobs that work on the pool or its VMs have ended, or cancel them.',
  },
  VM_GONE: { kind: 'not_found', hint: 'The VM no longer exists in its pool; run the inventory again.' },
  DISK_GONE: { kind: 'not_found', hint: 'The disk no longer exists in its pool; run the job again to begin anew.' },
  VDI_BUSY: { kind: 'unavailable', hint: 'The disk is still in use by another operation; it is tried again.' },
  SR_FULL: { kind: 'quota', hint: 'Free space on the storage repository or choose another one.' },
  SNAPSHOT_CHAIN_TOO_LONG: {
    kind: 'conflict',
    hint: 'Let the pool coalesce the disk’s snapshot chain, then run again.',
  },
  CHANGED_BLOCKS_UNAVAILABLE: { kind: 'conflict', hint: 'The next backup reads the disk in full and says so.' },
  LICENCE_RESTRICTION: { kind: 'forbidden', hint: 'The pool’s licence does not include this feature.' },
  NBD_UNAVAILABLE: {
    kind: 'unavailable',
    hint: 'Give one of the pool’s networks the purpose nbd, and let the mover reach it.',
  },
  NBD_FAILED: { kind: 'unavailable', hint: 'The pool ended the disk connection; it is opened again.' },
  XAPI_FAILED: { kind: 'unavailable', hint: 'Look the XAPI code in the error data up in XenServer’s documentation.' },
  XAPI_RECORD_INVALID: {
    kind: 'bug',
    hint: 'The pool answered with a record that lacks a field; report it with the pool’s version.',
  },
  IMPORT_FAILED: {
    kind: 'unavailable',
    hint: 'The pool did not take the disk’s data; see the XAPI task’s error in the error data.',
  },
  // vault
  VAULT_NOT_READY: {
    kind: 'conflict',
    hint: 'Wait until the vault is READY, or look at its stateDetail for what is wrong.',
  },
  VAULT_UNREACHABLE: { kind: 'unavailable', hint: 'Check that the vault’s storage target is mounted or reachable.' },
  VAULT_READ_ONLY: { kind: 'forbidden', hint: 'Give the mover’s user write permission on the vault’s storage target.' },
  VAULT_ACCESS_DENIED: {
    kind: 'forbidden',
    hint: 'Correct the credentials of the vault’s storage target, or what they are allowed to do there.',
  },
  VAULT_FULL: { kind: 'quota', hint: 'Free or add space on the vault’s storage target.' },
  NO_STORAGE_GRANT: { kind: 'forbidden', hint: 'Ask the provider for a grant on that storage.' },
  STORAGE_QUOTA_REACHED: {
    kind: 'quota',
    hint: 'Ask the provider for a larger storage quota, or delete restore points.',
  },
  STORAGE_PATH_UNUSABLE: {
    kind: 'invalid',
    hint: 'Make or mount the folder, writable for the user that Holdfast runs as, then send the request again.',
  },
  VAULT_CREATION_NOT_FAILED: {
    kind: 'conflict',
    hint: 'Only a creation that has failed is tried again; the vault’s state and its job say how it stands.',
  },
  STORAGE_IN_USE: { kind: 'conflict', hint: 'Revoke the grants on it first; a target that holds vaults has to stay.' },
  VAULT_CORRUPT: { kind: 'corrupt', hint: 'Verify the vault; undamaged restore points stay restorable.' },
  VAULT_FORMAT_UNKNOWN: {
    kind: 'invalid',
    hint: 'This vault was written by a newer version; upgrade before opening it.',
  },
  VAULT_NOT_IMMUTABLE: {
    kind: 'invalid',
    hint: 'Use a bucket with versioning and object lock, and credentials that may not bypass it; or a vault without lock.',
  },
  VAULT_RETAINED: {
    kind: 'conflict',
    hint: 'Wait until the date that it is locked until; nobody can delete it before.',
  },
  POINT_RETAINED: { kind: 'conflict', hint: 'Wait until the date that it is retained until.' },
  POINT_HELD: { kind: 'conflict', hint: 'Let whoever placed the holds release them first.' },
  VAULT_OBJECT_EXISTS: {
    kind: 'conflict',
    hint: 'Look at what is there: it stays. If it is not what was to be made, begin again with a new id.',
  },
  VAULT_OBJECT_MISSING: {
    kind: 'not_found',
    hint: 'Check that the path or prefix is the vault’s own; if it is, verify the vault, which says what is lost.',
  },
  SESSION_FENCED: { kind: 'conflict', hint: 'This writer was declared dead; a newer attempt has taken over.' },
  KEY_MISSING: { kind: 'corrupt', hint: 'Bring the tenant’s key file back; without it the vault can’t be opened.' },
  KEY_DESTROYED: { kind: 'corrupt', hint: 'The tenant’s keys were destroyed on purpose; the data is gone for good.' },
  // the house
  CONFIG_INVALID: { kind: 'invalid', hint: 'Correct the named environment variables and start again.' },
  DATABASE_UNAVAILABLE: { kind: 'unavailable', hint: 'Check that PostgreSQL runs and DATABASE_URL is right.' },
  DATABASE_TOO_OLD: { kind: 'invalid', hint: 'Use PostgreSQL 18 or newer.' },
  MIGRATION_FAILED: {
    kind: 'invalid',
    hint: 'Nothing was changed by the failed migration; read its error, mend the cause and run migrate again.',
  },
  DATA_FOLDER_IN_USE: {
    kind: 'conflict',
    hint: 'Stop it, or choose another folder for HOLDFAST_DATA.',
  },
  DATA_FOLDER_UNUSABLE: { kind: 'invalid', hint: 'Choose a data folder that the PostgreSQL user may enter and write.' },
  TEMPORAL_UNAVAILABLE: {
    kind: 'unavailable',
    hint: 'Check that the Temporal server runs and TEMPORAL_ADDRESS is right.',
  },
  ENGINE_SERVER_MISSING: {
    kind: 'invalid',
    hint: 'Install the named program, or Go 1.25 or newer so that it can be built.',
  },
  CANCELLED: { kind: 'cancelled', hint: 'The operation was cancelled.' },
  INTERNAL: { kind: 'bug', hint: 'Report it with the request or job id.' },
} as const satisfies Record<string, CodeEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;

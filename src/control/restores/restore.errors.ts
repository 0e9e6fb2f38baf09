import type { ErrorCode } from '../../kernel/errors.ts';

/** Outcomes that a client is expected to handle: they come back as `userErrors`. */
export const RESTORE_USER_ERRORS = [
  'NO_PLACEMENT_GRANT',
  'VAULT_NOT_READY',
  'TENANT_SUSPENDED',
] as const satisfies readonly ErrorCode[];

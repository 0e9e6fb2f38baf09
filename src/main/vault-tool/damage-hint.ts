import { AppError, isAppError } from '../../kernel/errors.ts';

const ELSEWHERE = 'other disks and restore points may be whole: verify --level 2.';

/** Adds to an error by damage, which ended a restore, what else can be had; `kept` is what stays of the restore. */
export function withDamageHint(error: unknown, kept: readonly string[]): unknown {
  if (!isAppError(error, 'VAULT_CORRUPT', 'VAULT_OBJECT_MISSING')) {
    return error;
  }
  const salvage = '--salvage restores what else of this disk is whole, if anything is';
  const hint =
    kept.length === 0
      ? `${salvage}; ${ELSEWHERE}`
      : `Once the damage is mended, the same command line goes on. If it can't be: remove ${kept.join(' and ')}, and ` +
        `leave --resume out; then ${salvage}. Also ${ELSEWHERE}`;
  return new AppError(error.code, error.message, { hint, data: error.data, cause: error });
}

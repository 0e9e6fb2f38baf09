import { isDamage, type Repository } from '../../engine/index.ts';
import { AppError, isAppError } from '../../kernel/errors.ts';
import type { ForgetCommand } from './arguments.ts';
import { EXIT } from './exit-codes.ts';
import { showTime } from './show-time.ts';
import type { Terminal } from './terminal.ts';

/**
 * Lets go of a restore point whose object was removed or can't be read, so that collection waits for it no longer. Again:
 * nothing happens. BAD_INPUT if it can be read, or without `force`; as `deletePoint` if there never was one, or it has to
 * stay.
 */
export async function forgetLost(
  repository: Repository,
  { point: pointId, force }: ForgetCommand,
  terminal: Terminal,
): Promise<number> {
  await requireLost(repository, pointId);
  if (!force) {
    throw new AppError('BAD_INPUT', `Restore point ${pointId}, and what only it needs, would be given up for good.`, {
      hint: 'See first that the vault is mounted whole, and that no copy has its object. If it is meant: --force.',
    });
  }
  await repository.deletePoint(pointId, { isLost: true }).catch((error: unknown) => {
    throw withDate(error, pointId);
  });
  terminal.print(`Restore point ${pointId} does not exist any more: collection does not wait for it.`);
  return EXIT.done;
}

async function requireLost(repository: Repository, pointId: string): Promise<void> {
  try {
    await repository.readPoint(pointId);
  } catch (error) {
    if (isDamage(error) || isAppError(error, 'NO_RESTORE_POINT')) {
      return;
    }
    throw error;
  }
  throw new AppError('BAD_INPUT', `Restore point ${pointId} is not lost: it can be read.`, {
    hint: 'Nothing was changed. list and verify name the restore points that are lost.',
  });
}

/** Nobody reckons a date from thousands of hours. */
function withDate(error: unknown, pointId: string): unknown {
  if (!isAppError(error, 'POINT_RETAINED') || typeof error.data['retainUntil'] !== 'number') {
    return error;
  }
  const date = showTime(error.data['retainUntil'], 'minute');
  return new AppError(error.code, `Restore point ${pointId} is retained until ${date} UTC.`, {
    hint: error.hint,
    data: error.data,
    cause: error,
  });
}

import { randomUUID } from 'node:crypto';
import { findUncopied, planCopy, type PointSummary, type Repository } from '../../engine/index.ts';
import { formatBytes } from '../../kernel/bytes.ts';
import { AppError, isAppError } from '../../kernel/errors.ts';
import type { CopyCommand } from './arguments.ts';
import { EXIT } from './exit-codes.ts';
import { findPoint } from './find-point.ts';
import { openVault } from './open-vault.ts';
import type { Terminal } from './terminal.ts';

/**
 * Copies one restore point, or all that the other vault has no copy of, oldest first: each stands on the one before it.
 * What was interrupted goes on when the same is told again.
 */
export async function copyPoints(
  from: Repository,
  command: CopyCommand,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const { target: place, point, retainUntil } = command;
  await using target = await openVault(place, place.retention);
  const to = target.repository;
  if (to.repositoryId === from.repositoryId) {
    throw new AppError('BAD_INPUT', '--to is the vault that is copied from.');
  }
  const missing = await findUncopied(from, to);
  const wanted = point === undefined ? missing : only(missing, (await findPoint(from, point)).pointId);
  for (const summary of wanted) {
    await copyOne(from, to, summary, { terminal, signal, retainUntil });
  }
  terminal.print(wanted.length === 0 ? 'Nothing is left to copy.' : `Copied ${wanted.length} restore points.`);
  return EXIT.done;
}

function only(missing: readonly PointSummary[], pointId: string): readonly PointSummary[] {
  return missing.filter((summary) => summary.pointId === pointId);
}

interface HowToCopy {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly retainUntil: number | undefined;
}

async function copyOne(
  from: Repository,
  to: Repository,
  { pointId }: PointSummary,
  { terminal, signal, retainUntil }: HowToCopy,
): Promise<void> {
  const progress = terminal.progress(`copy ${pointId}`);
  const date = retainUntil === undefined ? {} : { retainUntil };
  const run = async () => {
    const { resumes, ...ids } = await planCopy(from, to, pointId, randomUUID);
    const onProgress = ({ doneBytes, sizeBytes }: { doneBytes: number; sizeBytes: number }): void =>
      progress.show(doneBytes, sizeBytes);
    try {
      return await from.copyPoint({ ...ids, ...date, to, signal, onProgress });
    } catch (error) {
      if (!resumes || !isAppError(error, 'SESSION_FENCED')) {
        throw error;
      }
      // Whoever began it was taken for dead: what it was to make never comes, and a new copy finds what it stored.
      await from.endSession(ids.sessionId);
      return null;
    }
  };
  try {
    const result = (await run()) ?? (await run());
    if (result !== null) {
      const { summary, bytesRead, bytesStoredNew } = result;
      const sums = `read ${formatBytes(bytesRead)}, stored ${formatBytes(bytesStoredNew)}`;
      terminal.print(`${pointId} is now ${summary.pointId} there: ${sums}.`);
    }
  } finally {
    progress.end();
  }
}

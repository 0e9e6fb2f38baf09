import { randomUUID } from 'node:crypto';
import {
  findSameBackup,
  findUncopied,
  isDamage,
  planCopy,
  type PointSummary,
  type Repository,
} from '../../engine/index.ts';
import { formatBytes } from '../../kernel/bytes.ts';
import { AppError, isAppError } from '../../kernel/errors.ts';
import type { CopyCommand, CopyTarget } from './arguments.ts';
import { CopyDamage } from './copy-damage.ts';
import { count } from './count.ts';
import { diskProgress } from './copy-progress.ts';
import { EXIT } from './exit-codes.ts';
import { findPoint } from './find-point.ts';
import { openVault, type OpenVault } from './open-vault.ts';
import type { Terminal } from './terminal.ts';

/**
 * Copies one restore point, or all that the other vault has no copy of, oldest first: each stands on the one before it.
 * What was interrupted goes on when the same is told again.
 */
export async function copyPoints(
  source: OpenVault,
  command: CopyCommand,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const { target: place, retainUntil } = command;
  await using target = await openVault(place, place.retention);
  const [from, to] = [source.repository, target.repository];
  if (to.repositoryId === from.repositoryId) {
    throw new AppError('BAD_INPUT', '--to is the vault that is copied from.', {
      hint: 'Give another vault with --to: its own folder, or s3://BUCKET/PREFIX.',
    });
  }
  requireMeantTenant(source.tenantId, target.tenantId, place);
  const damage = new CopyDamage(terminal);
  const wanted = await choosePoints(from, to, command, { terminal, damage });
  for (const summary of wanted) {
    await damage.orTold(summary, copyOne(from, to, summary, { terminal, signal, retainUntil }));
  }
  const copied = wanted.length - damage.failed;
  terminal.print(wanted.length === 0 ? 'Nothing is left to copy.' : `Copied ${count(copied, 'restore point')}.`);
  return damage.isHere ? EXIT.damaged : EXIT.done;
}

/** Keys of many tenants open whatever lies at the place: another tenant's vault gets nothing unless that is said. */
function requireMeantTenant(from: string, to: string, { vault, tenantId: meant }: CopyTarget): void {
  if (to === (meant ?? from)) {
    return;
  }
  const message =
    meant === undefined
      ? `The vault in ${vault} is of tenant ${to}, the one that is copied from of tenant ${from}.`
      : `The vault in ${vault} is of tenant ${to}, not ${meant}.`;
  throw new AppError('BAD_INPUT', message, {
    hint: `Nothing was copied. If tenant ${to} is to have what tenant ${from} has: --to-tenant ${to}. Else look who put that vault there.`,
  });
}

/** What of that which was asked for is not there yet. */
async function choosePoints(
  from: Repository,
  to: Repository,
  { point, retainUntil }: CopyCommand,
  { terminal, damage }: { readonly terminal: Terminal; readonly damage: CopyDamage },
): Promise<readonly PointSummary[]> {
  if (point === undefined) {
    for await (const lost of from.listLostPoints()) {
      damage.tellLost(lost);
    }
    return await findUncopied(from, to, damage.onBoth);
  }
  const wanted = await findPoint(from, point);
  const there = await findSameBackup(from, wanted, to, damage.onThere.to);
  if (there === null) {
    return [wanted];
  }
  const date = retainUntil === undefined ? '' : ' Its date was not changed.';
  terminal.print(`Restore point ${wanted.pointId} is there already, as ${there.pointId}.${date}`);
  return [];
}

interface HowToCopy {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly retainUntil: number | undefined;
}

async function copyOne(
  from: Repository,
  to: Repository,
  { pointId, disks }: PointSummary,
  { terminal, signal, retainUntil }: HowToCopy,
): Promise<void> {
  const progress = terminal.progress(`copy ${pointId}`);
  const date = retainUntil === undefined ? {} : { retainUntil };
  const fenced = new Set<string>();
  const run = async () => {
    const { resumes, ...ids } = await planCopy(from, to, pointId, randomUUID, fenced);
    const onProgress = diskProgress(disks, progress);
    try {
      return await from.copyPoint({ ...ids, ...date, to, signal, onProgress });
    } catch (error) {
      if (isDamage(error)) {
        await endBoth(from, to, ids.sessionId);
      }
      if (!resumes || !isAppError(error, 'SESSION_FENCED')) {
        throw error;
      }
      // Whoever began it was taken for dead: what it was to make never comes, and a new copy finds what it stored.
      await endBoth(from, to, ids.sessionId);
      fenced.add(ids.sessionId);
      return null;
    }
  };
  try {
    let result = await run();
    // Each turn is done with one of those that were interrupted.
    while (result === null) {
      result = await run();
    }
    const { summary, bytesRead, bytesStoredNew } = result;
    const sums = `read ${formatBytes(bytesRead)}, stored ${formatBytes(bytesStoredNew)}`;
    terminal.print(`${pointId} is now ${summary.pointId} there: ${sums}.`);
  } finally {
    progress.end();
  }
}

/** What is damaged or fenced fails the same way again: nothing is to go on with it, and nothing to be kept for it. */
async function endBoth(from: Repository, to: Repository, sessionId: string): Promise<void> {
  try {
    await to.endSession(sessionId);
  } finally {
    await from.endSession(sessionId);
  }
}

import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { ByteRange, PointDisk, Repository } from '../../engine/index.ts';
import { formatBytes } from '../../kernel/bytes.ts';
import { isAppError, toAppError } from '../../kernel/errors.ts';
import type { RestoreCommand } from './arguments.ts';
import { withDamageHint } from './damage-hint.ts';
import { DiskRestore } from './disk-restore.ts';
import { EXIT } from './exit-codes.ts';
import { findDisk, findPoint } from './find-point.ts';
import { openOutput, type Output } from './output-target.ts';
import { partialName } from './partial-file.ts';
import { requireOutside } from './require-outside.ts';
import { CursorKeeper, openResumeFile, type ResumeFile } from './resume-file.ts';
import type { Terminal } from './terminal.ts';

export async function restoreDisk(
  repository: Repository,
  command: RestoreCommand,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  await requireOutside(command);
  const point = await findPoint(repository, command.point);
  const disk = findDisk(point, command.disk);
  const restore = new DiskRestore(repository, point.pointId, disk, { terminal, signal });
  const { resume, to } = command;
  const cursor =
    resume === undefined
      ? null
      : await openResumeFile(
          resume,
          { pointId: point.pointId, diskKey: disk.diskKey, to: resolve(to) },
          disk.sizeBytes,
        );
  const output = await openOutput(command, disk.sizeBytes, cursor?.begun ?? null);
  const keeper = cursor === null ? null : new CursorKeeper(cursor, async () => await output.sync());
  let lost: readonly ByteRange[];
  try {
    await cursor?.begin(output);
    lost = command.salvage ? await restore.findLost() : [];
    await withPin(repository, point.pointId, () => restore.into(output.image, lost, keeper));
    await output.image.finish();
    await output.complete();
    await cursor?.remove();
  } catch (error) {
    // What ended the restore says more than what fails after it.
    const tell = (failure: unknown): void => terminal.tell(toAppError(failure).message);
    await keeper?.flush().catch(tell);
    await output.abandon(cursor?.goesOn === true).catch(tell);
    throw command.salvage ? error : withDamageHint(error, keptOf(command, output, cursor));
  }
  return report(disk, { lost, isBlank: restore.isBlankBut(lost) }, command, terminal);
}

/** What an interrupted restore leaves to go on with; a device has no file of its own. */
function keptOf(
  { to, resume = '' }: RestoreCommand,
  { identity }: Output,
  cursor: ResumeFile | null,
): readonly string[] {
  if (cursor?.goesOn !== true) {
    return [];
  }
  return identity === null ? [resume] : [partialName(to), resume];
}

interface Salvaged {
  readonly lost: readonly ByteRange[];
  /** What is not lost was empty. */
  readonly isBlank: boolean;
}

function report(
  { diskKey, sizeBytes }: PointDisk,
  { lost, isBlank }: Salvaged,
  { to, format }: RestoreCommand,
  terminal: Terminal,
): number {
  const size = formatBytes(sizeBytes);
  terminal.print(
    isBlank
      ? `Nothing of disk ${diskKey} could be restored: ${to} (${format}) reads as ${size} of zeros.`
      : `Restored disk ${diskKey}, ${size}, to ${to} (${format}).`,
  );
  for (const { offset, length } of lost) {
    terminal.print(`LOST     bytes ${offset} to ${offset + length - 1} read as zeros`);
  }
  return lost.length === 0 ? EXIT.done : EXIT.damaged;
}

/** Keeps collection away from what is read, where the vault can be written; where it can't, nobody else can either. */
async function withPin(repository: Repository, pointId: string, work: () => Promise<void>): Promise<void> {
  const sessionId = randomUUID();
  let pinned = true;
  try {
    await repository.beginSession({ sessionId, pointId: randomUUID(), purpose: 'restore', pins: [pointId] });
  } catch (error) {
    if (!isAppError(error, 'VAULT_READ_ONLY', 'VAULT_FULL')) {
      throw error;
    }
    pinned = false;
  }
  try {
    await work();
  } finally {
    if (pinned) {
      await repository.endSession(sessionId);
    }
  }
}

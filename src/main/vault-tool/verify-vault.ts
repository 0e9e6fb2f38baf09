import type { DamagedPoint, VerifyResult } from '../../engine/index.ts';
import { formatBytes } from '../../kernel/bytes.ts';
import type { VerifyCommand } from './arguments.ts';
import { count } from './count.ts';
import { EXIT } from './exit-codes.ts';
import { findPoint } from './find-point.ts';
import type { OpenVault } from './open-vault.ts';
import type { Terminal } from './terminal.ts';
import { keepVerifyState } from './verify-state.ts';

const DAY_MS = 24 * 3600 * 1000;

export async function verifyVault(
  { repository, place }: OpenVault,
  command: VerifyCommand,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const { level, condemn, scrubDays } = command;
  const pointIds =
    command.point === undefined ? {} : { pointIds: [(await findPoint(repository, command.point)).pointId] };
  const kept = await keepVerifyState(command.state, { vault: { repositoryId: repository.repositoryId, place }, level });
  // Before anything is read: what can't be kept should be known by then.
  await kept.save(false);
  const scrub = scrubDays === undefined ? {} : { scrub: { periodMs: scrubDays * DAY_MS, everyMs: DAY_MS } };
  const since = scrubDays === undefined ? { since: kept.since } : {};
  const progress = terminal.progress(`verify, level ${level}`);
  let result: VerifyResult;
  try {
    result = await repository.verify({
      level,
      ...pointIds,
      ...scrub,
      ...since,
      state: kept.state,
      condemn,
      signal,
      onPack: kept.add,
      onProgress: ({ phase, bytesRead, bytesTotal }) => {
        if (phase === 'packs' && bytesTotal > 0) {
          progress.show(bytesRead, bytesTotal);
        }
      },
    });
  } catch (error) {
    await kept.save(false);
    throw error;
  } finally {
    progress.end();
  }
  report(result, terminal, scrubDays === undefined ? undefined : 'not due yet');
  await kept.save(true);
  return result.damagedObjects.length === 0 ? EXIT.done : EXIT.damaged;
}

/** `left`: what is said of packs that were not read in this run. */
export function report(result: VerifyResult, terminal: Terminal, left = 'found whole before'): void {
  const { damagedObjects, condemnedPacks, damagedPoints, intactPoints, packsChecked, packsLeft, bytesRead } = result;
  for (const { name, problem, message } of damagedObjects) {
    terminal.print(`DAMAGED  ${name}  ${problem}: ${message}`);
  }
  condemnedPacks.forEach((name) => terminal.print(`CONDEMNED ${name}`));
  damagedPoints.flatMap(describeLoss).forEach((line) => terminal.print(line));
  intactPoints.forEach((pointId) => terminal.print(`INTACT   restore point ${pointId}`));
  const earlier = packsLeft === 0 ? '' : `, ${packsLeft} ${left}`;
  terminal.print(
    `Level ${result.level}: ${count(packsChecked, 'pack')} checked${earlier}, ${formatBytes(bytesRead)} read; ` +
      `${count(damagedObjects.length, 'damaged object')}, ${damagedPoints.length} damaged and ${count(intactPoints.length, 'intact restore point')}.`,
  );
}

function describeLoss({ pointId, vmId, disks }: DamagedPoint): string[] {
  if (vmId === null) {
    return [
      `LOST     restore point ${pointId}: its own object is damaged`,
      `           collection waits until it is back, or given up: forget-lost --point ${pointId}`,
    ];
  }
  return disks.flatMap(({ diskKey, lostBytes, sizeBytes, ranges }) => [
    `LOST     restore point ${pointId}, VM ${vmId}, disk ${diskKey}: ${lostBytes} of ${sizeBytes} bytes`,
    ...ranges.map(({ offset, length }) => `           bytes ${offset} to ${offset + length - 1}`),
  ]);
}

import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { ByteRange, PointDisk, Repository } from '../../engine/index.ts';
import type { DiskImage } from '../../formats/index.ts';
import { formatBytes } from '../../kernel/bytes.ts';
import { AppError, isAppError, toAppError } from '../../kernel/errors.ts';
import type { RestoreCommand } from './arguments.ts';
import { withDamageHint } from './damage-hint.ts';
import { EXIT } from './exit-codes.ts';
import { findDisk, findPoint } from './find-point.ts';
import { openOutput, type Output } from './output-target.ts';
import { partialName } from './partial-file.ts';
import { requireOutside } from './require-outside.ts';
import { CursorKeeper, openResumeFile, type ResumeFile } from './resume-file.ts';
import type { Terminal } from './terminal.ts';

const CONCURRENCY = 8;

export async function restoreDisk(
  repository: Repository,
  command: RestoreCommand,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  await requireOutside(command);
  const point = await findPoint(repository, command.point);
  const disk = findDisk(point, command.disk);
  const restore = new Restore(repository, point.pointId, disk, { terminal, signal });
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

class Restore {
  /** Of data, holes not counted, around what is lost. */
  #salvagedBytes = 0;
  readonly #repository: Repository;
  readonly #pointId: string;
  readonly #disk: PointDisk;
  readonly #terminal: Terminal;
  readonly #signal: AbortSignal;

  constructor(
    repository: Repository,
    pointId: string,
    disk: PointDisk,
    { terminal, signal }: { readonly terminal: Terminal; readonly signal: AbortSignal },
  ) {
    this.#repository = repository;
    this.#pointId = pointId;
    this.#disk = disk;
    this.#terminal = terminal;
    this.#signal = signal;
  }

  /** After the restore: whether nothing but holes was found around what is lost. */
  isBlankBut(lost: readonly ByteRange[]): boolean {
    return lost.length > 0 && this.#salvagedBytes === 0;
  }

  /** What can't be restored of the disk, by a full verification of its restore point. */
  async findLost(): Promise<readonly ByteRange[]> {
    const progress = this.#terminal.progress('look for damage');
    try {
      const { damagedPoints } = await this.#repository.verify({
        level: 2,
        pointIds: [this.#pointId],
        signal: this.#signal,
        onProgress: ({ bytesRead, bytesTotal }) => progress.show(bytesRead, bytesTotal),
      });
      const disks = damagedPoints.flatMap((point) => point.disks);
      const found = disks.find(({ diskKey }) => diskKey === this.#disk.diskKey);
      this.#requireSomeWhole(found?.ranges ?? []);
      return found?.ranges ?? [];
    } finally {
      progress.end();
    }
  }

  /** An image of zeros might be taken for the disk, and would be one more thing lost on a device. */
  #requireSomeWhole(lost: readonly ByteRange[]): void {
    const { diskKey, sizeBytes } = this.#disk;
    if (lost.length > 0 && without(lost, sizeBytes).length === 0) {
      const what = `disk ${diskKey} of restore point ${this.#pointId}`;
      throw new AppError(
        'VAULT_CORRUPT',
        `Nothing of ${what} can be restored: all of its ${sizeBytes} bytes are lost.`,
        {
          hint: 'Nothing was written. Try repair, another restore point of the machine (list), or a copy of the vault.',
        },
      );
    }
  }

  async into(image: DiskImage, lost: readonly ByteRange[], keeper: CursorKeeper | null): Promise<void> {
    const progress = this.#terminal.progress('restore');
    try {
      await (lost.length === 0 ? this.#whole(image, progress.show, keeper) : this.#around(image, lost, progress.show));
    } finally {
      progress.end();
    }
  }

  async #whole(
    image: DiskImage,
    show: (done: number, total: number) => void,
    keeper: CursorKeeper | null,
  ): Promise<void> {
    await this.#repository.restoreDisk({
      pointId: this.#pointId,
      diskKey: this.#disk.diskKey,
      from: keeper?.from ?? 0,
      signal: this.#signal,
      sink: {
        concurrency: CONCURRENCY,
        write: async (offset, data) => await image.write(offset, data),
        hole: async (offset, length) => await image.hole(offset, length),
      },
      onProgress: ({ settledBelow, sizeBytes }) => {
        keeper?.reached(settledBelow);
        show(settledBelow, sizeBytes);
      },
    });
  }

  async #around(
    image: DiskImage,
    lost: readonly ByteRange[],
    show: (done: number, total: number) => void,
  ): Promise<void> {
    const { diskKey, sizeBytes } = this.#disk;
    for (const { offset, length } of lost) {
      await image.hole(offset, length);
    }
    const ranges = without(lost, sizeBytes);
    const pieces = this.#repository.readDisk({ pointId: this.#pointId, diskKey, ranges, signal: this.#signal });
    for await (const { offset, length, data } of pieces) {
      await (data === null ? image.hole(offset, length) : image.write(offset, data));
      this.#salvagedBytes += data?.length ?? 0;
      show(offset + length, sizeBytes);
    }
  }
}

function without(lost: readonly ByteRange[], sizeBytes: number): ByteRange[] {
  const ends = lost.map(({ offset, length }) => offset + length);
  return [0, ...ends]
    .map((offset, i) => ({ offset, length: (lost[i]?.offset ?? sizeBytes) - offset }))
    .filter(({ length }) => length > 0);
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

import type { ByteRange, PointDisk, Repository } from '../../engine/index.ts';
import type { DiskImage } from '../../formats/index.ts';
import { AppError } from '../../kernel/errors.ts';
import type { CursorKeeper } from './resume-file.ts';
import type { Terminal } from './terminal.ts';

const CONCURRENCY = 8;

/** One disk on its way into an image, whole or around what is lost of it. */
export class DiskRestore {
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

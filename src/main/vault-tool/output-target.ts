import { constants, type Stats } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { FileTarget, Qcow2Image, RawImage, VhdImage, type DiskImage, type ImageTarget } from '../../formats/index.ts';
import { AppError, errnoOf, isAppError } from '../../kernel/errors.ts';
import type { ImageFormat, RestoreCommand } from './arguments.ts';
import { isThere, isThereAlready } from './name-new.ts';
import { PartialFile, partialName, type Begun, type FileIdentity } from './partial-file.ts';

/** An image that is being written. */
export interface Output {
  readonly image: DiskImage;
  /** Of the file that grows; null: a device. */
  readonly identity: FileIdentity | null;
  /** What was written until now survives a power cut. */
  sync(): Promise<void>;
  /** Makes it durable and gives it its name. */
  complete(): Promise<void>;
  /** What is half-written goes, unless a restore `goesOn` with it; a device keeps what it got. */
  abandon(goesOn: boolean): Promise<void>;
}

/** A file grows under another name beside the one that it will have, so that half an image is never taken for one. */
export async function openOutput(command: RestoreCommand, sizeBytes: number, begun: Begun | null): Promise<Output> {
  const { to, force } = command;
  const found = await stat(to).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') {
      return null;
    }
    throw outputError(error, to);
  });
  const isDevice = found?.isBlockDevice() === true;
  requireBegun(command, begun, isDevice);
  if (isDevice) {
    return await openDevice(command, sizeBytes);
  }
  if (found !== null) {
    requireReplaceable(to, found, force);
  } else if (!force && (await isThere(to))) {
    throw isThereAlready(to);
  }
  return await openFile(command, sizeBytes, begun?.identity ?? null);
}

function requireBegun({ to, resume = '' }: RestoreCommand, begun: Begun | null, isDevice: boolean): void {
  if (begun !== null && isDevice !== (begun.identity === null)) {
    throw new AppError('BAD_INPUT', `${to} is not what the restore of ${resume} began.`, {
      hint: `Remove ${resume} to begin anew.`,
    });
  }
}

function requireReplaceable(to: string, found: Stats, force: boolean): void {
  if (!found.isFile()) {
    throw new AppError('BAD_INPUT', `${to} is neither a file nor a block device.`, {
      hint: 'Give --to a file’s name.',
    });
  }
  if (!force) {
    throw isThereAlready(to);
  }
}

async function openFile(
  { to, format, resume, force }: RestoreCommand,
  sizeBytes: number,
  begun: FileIdentity | null,
): Promise<Output> {
  const partial = await PartialFile.open(partialName(to), { force, begun, resume }).catch((error: unknown) => {
    throw isAppError(error) ? error : outputError(error, to);
  });
  const { handle, identity } = partial;
  try {
    return {
      image: new CheckedImage(makeImage(format, new FileTarget(handle), sizeBytes), to),
      identity,
      sync: async () => await checked(to, () => handle.datasync()),
      complete: async () => await checked(to, () => partial.complete(to)),
      abandon: async (goesOn) => {
        await handle.close();
        if (!goesOn) {
          await partial.remove();
        }
      },
    };
  } catch (error) {
    await handle.close();
    await partial.remove();
    throw error;
  }
}

async function openDevice({ to, format, force }: RestoreCommand, sizeBytes: number): Promise<Output> {
  if (format !== 'raw') {
    throw new AppError('BAD_INPUT', `Only raw can be written to the device ${to}.`, { hint: 'Leave --format out.' });
  }
  if (!force) {
    throw new AppError('BAD_INPUT', `Everything on the device ${to} would be overwritten.`, {
      hint: 'If that is meant: --force.',
    });
  }
  const file = await openUnused(to);
  try {
    await requireRoom(file, to, sizeBytes);
  } catch (error) {
    await file.close();
    throw error;
  }
  return {
    image: new CheckedImage(new RawImage(new FileTarget(file), sizeBytes, { onDevice: true }), to),
    identity: null,
    sync: async () => await checked(to, () => file.datasync()),
    complete: async () => {
      await checked(to, () => file.sync());
      await file.close();
    },
    abandon: async () => await file.close(),
  };
}

/**
 * On Linux O_EXCL takes a device for itself, as a mount does, and fails where something has taken it, or a partition of it.
 * What is mounted goes on writing, so that both would be lost.
 */
async function openUnused(device: string): Promise<FileHandle> {
  try {
    return await open(device, constants.O_RDWR | constants.O_EXCL);
  } catch (error) {
    if (errnoOf(error) !== 'EBUSY') {
      throw outputError(error, device);
    }
    throw new AppError('BAD_INPUT', `The device ${device} is in use: mounted, or part of something that is.`, {
      hint: 'Unmount it, or take it out of what uses it (swap, LVM, RAID), or choose another device.',
      cause: error,
    });
  }
}

/** A device does not tell its size through its file; its last byte that is needed can be read, or not. */
async function requireRoom(device: FileHandle, to: string, sizeBytes: number): Promise<void> {
  const { bytesRead } = await device.read(Buffer.alloc(1), 0, 1, Math.max(0, sizeBytes - 1));
  if (sizeBytes > 0 && bytesRead === 0) {
    throw new AppError('BAD_INPUT', `The device ${to} is smaller than the disk, which has ${sizeBytes} bytes.`, {
      hint: 'Choose a larger device.',
    });
  }
}

function makeImage(format: ImageFormat, target: ImageTarget, sizeBytes: number): DiskImage {
  if (format === 'raw') {
    return new RawImage(target, sizeBytes);
  }
  return format === 'vhd' ? new VhdImage(target, sizeBytes, Date.now()) : new Qcow2Image(target, sizeBytes);
}

/** Says of what fails that it was the output and not the vault. */
class CheckedImage implements DiskImage {
  readonly #image: DiskImage;
  readonly #to: string;

  constructor(image: DiskImage, to: string) {
    this.#image = image;
    this.#to = to;
  }

  async write(offset: number, data: Uint8Array): Promise<void> {
    await checked(this.#to, () => this.#image.write(offset, data));
  }

  async hole(offset: number, length: number): Promise<void> {
    await checked(this.#to, () => this.#image.hole(offset, length));
  }

  async finish(): Promise<void> {
    await checked(this.#to, () => this.#image.finish());
  }
}

async function checked(to: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw isAppError(error) ? error : outputError(error, to);
  }
}

function outputError(error: unknown, to: string): AppError {
  const errno = errnoOf(error) ?? String(error);
  const hint =
    errno === 'ENOSPC' ? 'Free space there, or choose another place.' : 'Check the path and its permissions.';
  return new AppError('BAD_INPUT', `Could not write ${to}: ${errno}.`, { hint, cause: error });
}

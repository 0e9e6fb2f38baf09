/** Where an image's bytes go. Calls may overlap in time, never in place. What was never written reads as zeros. */
export interface ImageTarget {
  write(position: number, data: Uint8Array): Promise<void>;
  /** Cuts, or extends with zeros. */
  resize(bytes: number): Promise<void>;
}

/** Writes a disk into an image. Calls may come in any order and several at a time; none may overlap. */
export interface DiskImage {
  write(offset: number, data: Uint8Array): Promise<void>;
  /** This range reads as zeros. */
  hole(offset: number, length: number): Promise<void>;
  /** After everything was written; only then is it an image. */
  finish(): Promise<void>;
}

export const SECTOR_BYTES = 512;

/** Disks of images consist of whole sectors: what is missing to one reads as zeros. */
export function wholeSectors(sizeBytes: number): number {
  return Math.ceil(sizeBytes / SECTOR_BYTES) * SECTOR_BYTES;
}

export function requireInside(offset: number, length: number, sizeBytes: number): void {
  if (offset < 0 || offset + length > sizeBytes) {
    throw new RangeError(`${length} bytes at ${offset} are not inside of a disk of ${sizeBytes} bytes`);
  }
}

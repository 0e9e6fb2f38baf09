import { requireInside, type DiskImage, type ImageTarget } from './disk-image.ts';

const ZEROS = new Uint8Array(1024 * 1024);

export interface RawOptions {
  /** The target is a device: it has its size, and may hold anything where holes are. */
  readonly onDevice?: boolean;
}

/** The disk's bytes and nothing else; in a file, holes stay holes. */
export class RawImage implements DiskImage {
  readonly #target: ImageTarget;
  readonly #sizeBytes: number;
  readonly #onDevice: boolean;

  constructor(target: ImageTarget, sizeBytes: number, { onDevice = false }: RawOptions = {}) {
    this.#target = target;
    this.#sizeBytes = sizeBytes;
    this.#onDevice = onDevice;
  }

  async write(offset: number, data: Uint8Array): Promise<void> {
    requireInside(offset, data.length, this.#sizeBytes);
    await this.#target.write(offset, data);
  }

  async hole(offset: number, length: number): Promise<void> {
    requireInside(offset, length, this.#sizeBytes);
    for (let at = 0; this.#onDevice && at < length; at += ZEROS.length) {
      await this.#target.write(offset + at, ZEROS.subarray(0, Math.min(ZEROS.length, length - at)));
    }
  }

  async finish(): Promise<void> {
    if (!this.#onDevice) {
      await this.#target.resize(this.#sizeBytes);
    }
  }
}

import type { FileHandle } from 'node:fs/promises';
import type { ImageTarget } from './disk-image.ts';

/** A file or block device that is open for writing. It stays its opener's. */
export class FileTarget implements ImageTarget {
  readonly #file: FileHandle;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async write(position: number, data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length;) {
      at += (await this.#file.write(data, at, data.length - at, position + at)).bytesWritten;
    }
  }

  async resize(bytes: number): Promise<void> {
    await this.#file.truncate(bytes);
  }
}

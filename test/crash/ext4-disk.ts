import { execFile } from 'node:child_process';
import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH: nothing more reaches the disk, as when the power is cut. */
const SHUT_DOWN = `
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))
`;

/** A real ext4 in a file, through a loop device: for root, on Linux, with Python for one ioctl. */
export class Ext4Disk {
  readonly folder: string;
  readonly #file: string;
  readonly #mountPoint: string;

  constructor(base: string) {
    this.#file = join(base, 'ext4.img');
    this.#mountPoint = join(base, 'mount');
    this.folder = join(this.#mountPoint, 'store');
  }

  async make(sizeBytes: number): Promise<void> {
    await writeFile(this.#file, '');
    await truncate(this.#file, sizeBytes);
    await run('mkfs.ext4', ['-q', '-F', this.#file]);
    await mkdir(this.#mountPoint, { recursive: true });
    await this.mount();
    await mkdir(this.folder);
    await run('sync', ['-f', this.folder]);
  }

  async mount(): Promise<void> {
    await run('mount', ['-o', 'loop', this.#file, this.#mountPoint]);
  }

  async cutPower(): Promise<void> {
    await run('python3', ['-c', SHUT_DOWN, this.#mountPoint]);
  }

  async unmount(): Promise<void> {
    await run('umount', [this.#mountPoint]);
  }

  async remove(): Promise<void> {
    await run('umount', ['-l', this.#mountPoint]).catch(() => undefined); // it may not be mounted
    await rm(this.#file, { force: true });
  }
}

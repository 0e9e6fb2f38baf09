import { execFile } from 'node:child_process';
import { link, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Images } from './images/prepare-images.ts';

const run = promisify(execFile);

const READ_BYTES = 1024 * 1024;

/** Where the measuring happens: the folder that is backed up, with one file in it, and the repositories. */
export class Workshop {
  readonly images: Images;
  readonly #folder: string;
  readonly #readInto = new Uint8Array(READ_BYTES);

  /** `folder`, of its caller's, is on the same file system as the images. */
  constructor(folder: string, images: Images) {
    this.#folder = folder;
    this.images = images;
  }

  get source(): string {
    return join(this.#folder, 'source');
  }

  get disk(): string {
    return join(this.source, 'disk.img');
  }

  imagePath(name: string): string {
    return join(this.images.folder, name);
  }

  repository(side: string, round: number): string {
    return join(this.#folder, 'repositories', `${side.replaceAll(/\W+/g, '-')}-${round}`);
  }

  /** Makes an image the disk that is backed up. */
  async insert(name: string): Promise<void> {
    await mkdir(this.source, { recursive: true });
    await rm(this.disk, { force: true });
    await link(this.imagePath(name), this.disk);
  }

  /**
   * No side pays for what another one left to be written, or pushed out of memory: the disk and the repository are read.
   * Twice, because a machine that gives unused memory away takes what was read first before the last of it is there.
   */
  async warm(repository: string): Promise<void> {
    await run('sync');
    const paths = [this.disk, ...(await filesIn(repository)).map(({ path }) => path)];
    for (const path of [...paths, ...paths]) {
      await readAll(path, this.#readInto);
    }
  }

  async storedBytes(repository: string): Promise<number> {
    return (await filesIn(repository)).reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

/** Into the same memory all the time: what the machine does to give freed memory away would go into the next measurement. */
async function readAll(path: string, into: Uint8Array): Promise<void> {
  await using file = await open(path);
  let bytesRead: number;
  do {
    ({ bytesRead } = await file.read(into, 0, into.length));
  } while (bytesRead > 0);
}

async function filesIn(folder: string): Promise<{ path: string; bytes: number }[]> {
  const files: { path: string; bytes: number }[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name);
      files.push({ path, bytes: (await stat(path)).size });
    }
  }
  return files;
}
